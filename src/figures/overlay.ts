/**
 * A picture with a map over it and the boxes that were scored.
 *
 * @module
 */

import { frameOf, intersect, isEmpty, type Rect } from "../image/geometry.ts";
import { Canvas } from "./drawing/canvas.ts";
import { mapColour } from "./drawing/colour.ts";
import { BOLD_WIDTH, shorten, textWidth, wrap } from "./drawing/font.ts";
import { placeLabels } from "./drawing/label_placement.ts";
import { coordinate, fixed, plural } from "../base/number_text.ts";
import type { OverlayBox, OverlayData, OverlayOptions } from "./figure.ts";
import { legible } from "../base/legible.ts";

const MARGIN = 10;
const LINE = 1.35;

/**
 * Draws a picture, the map over it (plasma; the more opaque the higher, so the picture stays visible), the boxes with label and
 * importance (solid and thick where salient, dashed where not), and a legend.
 *
 * Boxes are cut at the picture's edge; those outside are left out and counted. An importance of NaN reads `n/a`. Where the map is
 * undefined, a note takes its place. Labels keep inside the picture; if there are more boxes than `maxLabels`, only the most
 * important carry one, and the figure says so.
 *
 * @throws {RangeError} when the picture has no size.
 */
export function overlay(data: OverlayData, options: OverlayOptions = {}): string {
  if (!(data.width > 0 && data.height > 0)) {
    throw new RangeError(`Cannot draw an overlay: the picture is ${data.width}x${data.height}`);
  }
  const canvas = new Canvas(options);
  const scale = (options.width ?? data.width) / data.width;
  const width = data.width * scale, height = data.height * scale;
  // Text grows slowly with the picture: 10 px up to 320, 14 px from 960 on.
  const size = Math.min(14, Math.max(10, 10 + (4 * (width - 320)) / 640));
  const inner = Math.max(width, 240);
  const sheet = inner + 2 * MARGIN;

  let y = MARGIN + size;
  const paragraph = (text: string, at: number, muted: boolean) => {
    for (const line of wrap(legible(text), at, muted ? inner : inner / BOLD_WIDTH)) {
      canvas.text(line, MARGIN, y, {
        size: at,
        bold: !muted,
        ...(muted ? { opacity: canvas.ink.muted } : {}),
      });
      y += at * LINE;
    }
  };
  paragraph(data.title, size * 1.1, false);
  if (data.subtitle) paragraph(data.subtitle, size, true);

  const top = y - size * 0.5;
  const place = (rect: Rect): Rect => ({
    x0: MARGIN + rect.x0 * scale,
    y0: top + rect.y0 * scale,
    x1: MARGIN + rect.x1 * scale,
    y1: top + rect.y1 * scale,
  });
  const frame = place(frameOf(data));
  if (data.imageHref) canvas.image(data.imageHref, frame.x0, frame.y0, width, height);
  else canvas.rect(frame.x0, frame.y0, width, height, { fill: "#8a8a8a" });
  if (data.map?.href) {
    const at = place(data.map.region);
    canvas.image(data.map.href, at.x0, at.y0, at.x1 - at.x0, at.y1 - at.y0);
  }

  const boxes = data.boxes
    .map((box) => ({ box, at: intersect(place(box), frame) }))
    .filter(({ at }) => !isEmpty(at))
    .sort((a, b) => rank(b.box) - rank(a.box));
  const labelled = boxes.slice(0, options.maxLabels ?? 24);
  // Painted from the least to the most important, so that the most important lie on top.
  for (const { box, at } of boxes.toReversed()) drawBox(canvas, at, box.salient, size);
  drawLabels(canvas, labelled, frame, size);
  if (data.map && !data.map.href) drawNote(canvas, frame, "map undefined (NaN)", size);

  y = frame.y1 + size * 1.5;
  const notes: string[] = [];
  if (labelled.length < boxes.length) {
    notes.push(
      `Labelled: the ${labelled.length} of ${boxes.length} boxes with the highest importance.`,
    );
  }
  const outside = data.boxes.length - boxes.length;
  if (outside > 0) notes.push(`${plural(outside, "box", "boxes")} outside this picture.`);
  if (options.legend ?? true) y = drawLegend(canvas, data, y, inner, size * 0.94);
  notes.forEach((note) => paragraph(note, size * 0.94, true));
  const description = boxes
    .map(({ box }) => `${box.label}: ${fixed(box.importance)}${box.salient ? ", salient" : ""}`)
    .join("; ");
  return canvas.finish(
    sheet,
    y - size * 1.1 + MARGIN,
    data.title,
    [data.subtitle, description, ...notes].filter(Boolean).join(" "),
  );
}

function rank(box: OverlayBox): number {
  return Number.isNaN(box.importance) ? -1 : box.importance;
}

/** White lines on a dark halo: visible on any photo and any colour of the map. */
function drawBox(canvas: Canvas, at: Rect, salient: boolean, size: number): void {
  const line = salient ? size * 0.17 : size * 0.11;
  const [w, h] = [at.x1 - at.x0, at.y1 - at.y0];
  canvas.rect(at.x0, at.y0, w, h, {
    fill: "none",
    stroke: "#000000",
    "stroke-opacity": 0.55,
    "stroke-width": line + 1.6,
  });
  canvas.rect(at.x0, at.y0, w, h, {
    fill: "none",
    stroke: "#ffffff",
    "stroke-width": line,
    "stroke-dasharray": salient ? undefined : "4 3",
  });
}

function drawLabels(
  canvas: Canvas,
  labelled: readonly { box: OverlayBox; at: Rect }[],
  frame: Rect,
  size: number,
): void {
  // What is not salient speaks more softly.
  const sizes = labelled.map(({ box }) => box.salient ? size : size * 0.9);
  const texts = labelled.map(({ box }, i) => {
    const number = fixed(box.importance);
    const room = (frame.x1 - frame.x0) * 0.6 - textWidth(` ${number}`, sizes[i]) - sizes[i] * 0.7;
    return `${shorten(legible(box.label), sizes[i], room)} ${number}`;
  });
  const plates = placeLabels(
    labelled.map(({ at }, i) => ({
      box: at,
      width: textWidth(texts[i], sizes[i]) + sizes[i] * 0.7,
      height: sizes[i] * 1.4,
    })),
    frame,
  );
  // From the least important on, so that where two plates must overlap the more important one stays readable.
  for (let i = labelled.length - 1; i >= 0; i--) {
    const { box, at } = labelled[i], plate = plates[i];
    drawLeader(canvas, at, plate);
    canvas.rect(plate.x0, plate.y0, plate.x1 - plate.x0, plate.y1 - plate.y0, {
      rx: 2,
      fill: box.salient ? "#ffffff" : "#000000",
      "fill-opacity": box.salient ? 0.92 : 0.6,
    });
    canvas.text(texts[i], plate.x0 + sizes[i] * 0.35, plate.y0 + sizes[i] * 1.05, {
      size: sizes[i],
      fill: box.salient ? "#000000" : "#ffffff",
    });
  }
}

/** A line from a label that had to leave its box to the nearest point of it. */
function drawLeader(canvas: Canvas, box: Rect, plate: Rect): void {
  const near = (low: number, high: number, value: number) => Math.max(low, Math.min(high, value));
  const px = (plate.x0 + plate.x1) / 2, py = (plate.y0 + plate.y1) / 2;
  const bx = near(box.x0, box.x1, px), by = near(box.y0, box.y1, py);
  const gap = Math.max(plate.x0 - box.x1, box.x0 - plate.x1, plate.y0 - box.y1, box.y0 - plate.y1);
  if (gap < 2) return;
  const c = coordinate;
  const line = `M${c(near(plate.x0, plate.x1, bx))} ${c(near(plate.y0, plate.y1, by))}L${c(bx)} ${
    c(by)
  }`;
  canvas.path(line, { stroke: "#000000", "stroke-opacity": 0.55, "stroke-width": 2.6 });
  canvas.path(line, { stroke: "#ffffff", "stroke-width": 1 });
}

function drawNote(canvas: Canvas, frame: Rect, text: string, size: number): void {
  const width = textWidth(text, size) + size;
  const x = (frame.x0 + frame.x1 - width) / 2, y = frame.y1 - size * 2.4;
  canvas.rect(x, y, width, size * 1.7, { fill: "#000000", "fill-opacity": 0.75, rx: 3 });
  canvas.text(text, x + size / 2, y + size * 1.2, { size, fill: "#ffffff" });
}

/** The map's colours as they lie on a mid grey, and the two kinds of boxes. Gives the next baseline. */
function drawLegend(
  canvas: Canvas,
  data: OverlayData,
  y: number,
  width: number,
  size: number,
): number {
  let x = MARGIN;
  const advance = (needed: number) => {
    if (x > MARGIN && x + needed > MARGIN + width) {
      x = MARGIN;
      y += size * 1.8;
    }
  };
  const word = (text: string) => {
    canvas.text(text, x, y, { size, opacity: canvas.ink.muted });
    x += textWidth(text, size) + size * 0.5;
  };
  if (data.map?.href) {
    const bar = 60, steps = 30, height = size * 0.9, yBar = y - height * 0.9;
    word("map 0");
    canvas.rect(x, yBar, bar, height, { fill: "#a6a6a6" });
    for (let i = 0; i < steps; i++) {
      const { r, g, b, opacity } = mapColour((i + 0.5) / steps);
      canvas.rect(x + (i * bar) / steps, yBar, bar / steps, height, {
        fill: `rgb(${Math.round(r)},${Math.round(g)},${Math.round(b)})`,
        "fill-opacity": opacity,
        "shape-rendering": "crispEdges",
      });
    }
    x += bar + size * 0.5;
    word("1");
    x += size * 0.5;
  }
  const kinds: [boolean, string][] = [[
    true,
    data.threshold === undefined ? "salient" : `box > ${fixed(data.threshold)}`,
  ], [false, data.threshold === undefined ? "not salient" : `≤ ${fixed(data.threshold)}`]];
  for (const [salient, text] of kinds) {
    if (!data.boxes.some((box) => box.salient === salient)) continue;
    advance(size * 2.5 + textWidth(text, size));
    const icon = { x0: x, y0: y - size * 0.95, x1: x + size * 2, y1: y + size * 0.25 };
    canvas.rect(icon.x0, icon.y0, icon.x1 - icon.x0, icon.y1 - icon.y0, { fill: "#8a8a8a" });
    drawBox(
      canvas,
      { x0: icon.x0 + 3, y0: icon.y0 + 3, x1: icon.x1 - 3, y1: icon.y1 - 3 },
      salient,
      size,
    );
    x += size * 2.4;
    word(text);
    x += size * 0.4;
  }
  return x > MARGIN ? y + size * 1.7 : y;
}
