/**
 * The heads of a YOLOv3 as boxes, in two profiles that differ in nearly every step and are never mixed:
 *
 * - `darknet`: a sigmoid for each class, so one box can have several; boxes in image pixels, the letterbox undone. Every number that
 *   Darknet keeps in single precision is rounded to it, in its order, so that thresholds and ties fall as there.
 * - `lightnet`: a softmax over the classes of which the largest counts, so a box has one; boxes in the network's frame.
 *
 * A cell's channels are anchor · (5 + classes) + entry with the entries tx, ty, tw, th, objectness, classes; all raw logits.
 *
 * Source: `src/yolo_layer.c` of Darknet (commit f6afaab); `GetAnchorBoxes` of lightnet 4.0.0.
 *
 * @module
 */

import { ImageError } from "../base/errors.ts";
import type { LetterboxGeometry } from "../image/letterbox.ts";
import { type CentreBoxes, type ClassRows, MOST_ROWS } from "./_nms.ts";
import type { Size } from "../image/image.ts";
import { flag } from "../base/flag.ts";

/** One head's output for one image. */
export interface YoloHead {
  /** Its name, for messages. */
  readonly name: string;
  /** [anchors · (5 + classes), height, width]. */
  readonly logits: Float32Array;
  readonly width: number;
  readonly height: number;
  /** Width and height of each anchor in pixels of the network's input. */
  readonly anchors: readonly (readonly [number, number])[];
}

/** What was found before suppression. */
export interface YoloRows {
  /** Centre x, centre y, width, height of each row. */
  readonly boxes: CentreBoxes;
  /** Sigmoid of each row's objectness. */
  readonly objectness: Float64Array;
  /** By class: which rows have it, with which confidence. */
  readonly classes: readonly ClassRows[];
}

/** Candidates, one a row and class, that are gone through: a threshold of 0 can make tens of millions of no use to anyone. */
const MOST_CANDIDATES = 2 ** 21;

const f = Math.fround;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/**
 * Darknet's boxes.
 *
 * With σ the sigmoid: centre = (cell + σ(t)) / cells, size = exp(t) · anchor / network, then the letterbox undone with half of its
 * padding as a real number; objectness = σ(t) must be over the threshold, and so must objectness · σ(class).
 *
 * @param confidence threshold, 0…1; not kept at it, only over it.
 * @param geometry of the image in the network's frame, by {@linkcode darknetLetterbox}.
 * @returns rows in Darknet's order: heads, cells row by row, anchors; boxes in image pixels, not clipped.
 * @throws {ImageError} when a logit or a box is not finite, or for over 2²¹ candidates.
 */
export function decodeDarknet(
  heads: readonly YoloHead[],
  { classes, confidence, image, geometry }: {
    classes: number;
    confidence: number;
    image: Size;
    geometry: LetterboxGeometry;
  },
): YoloRows {
  const threshold = f(confidence);
  const table = new RowTable(classes);
  const { frameWidth, frameHeight } = geometry;
  /** A centre and a size, 0…1 of the network's axis, to image pixels; rounded where Darknet stores a float. */
  const axis = (frame: number, inner: number, whole: number) => {
    const before = (frame - inner) / 2 / frame, part = f(inner / frame), back = f(frame / inner);
    return {
      centre: (value: number) => f(f((value - before) / part) * whole),
      size: (value: number) => f(f(value * back) * whole),
    };
  };
  const x = axis(frameWidth, geometry.width, image.width);
  const y = axis(frameHeight, geometry.height, image.height);
  for (const head of heads) {
    requireFinite(head);
    const { logits, width, height, anchors } = head;
    const cells = width * height, entries = 5 + classes;
    const live = anchors.map((): Live => ({ cells: [], rows: [], least: [] }));
    for (let cell = 0; cell < cells; cell++) {
      anchors.forEach(([anchorWidth, anchorHeight], anchor) => {
        const at = (entry: number) => logits[(anchor * entries + entry) * cells + cell];
        const objectness = f(sigmoid(at(4)));
        if (!(objectness > threshold)) return;
        const column = cell % width, line = Math.floor(cell / width);
        const row = table.add(
          x.centre(f(f(column + f(sigmoid(at(0)))) / width)),
          y.centre(f(f(line + f(sigmoid(at(1)))) / height)),
          x.size(f(Math.exp(at(2)) * f(anchorWidth) / frameWidth)),
          y.size(f(Math.exp(at(3)) * f(anchorHeight) / frameHeight)),
          objectness,
        );
        live[anchor].cells.push(cell);
        live[anchor].rows.push(row);
        live[anchor].least.push(leastLogit(threshold, objectness));
      });
    }
    live.forEach(({ cells: at, rows, least }, anchor) => {
      for (let c = 0; c < classes; c++) {
        const plane = (anchor * entries + 5 + c) * cells;
        for (let i = 0; i < at.length; i++) {
          const logit = logits[plane + at[i]];
          if (!(logit > least[i])) continue;
          const probability = f(table.objectness[rows[i]] * f(sigmoid(logit)));
          if (probability > threshold) table.classify(rows[i], c, probability);
        }
      }
    });
  }
  return table.finish();
}

/** Cells of one anchor over the threshold, in order: their place in the plane, their row, the least logit a class must have. */
interface Live {
  readonly cells: number[];
  readonly rows: number[];
  readonly least: number[];
}

/** A logit under which no class can come over the threshold, so that most exponentials are never computed. */
function leastLogit(threshold: number, objectness: number): number {
  const share = threshold / objectness * (1 - 1e-6);
  return Math.log(share / (1 - share)) - 1e-3;
}

/**
 * lightnet's boxes, as EmoCAM ran them.
 *
 * Centre = (cell + σ(t)) · stride with stride = floor(network height / cells down) on both axes, size = exp(t) · anchor; confidence
 * = σ(objectness) · softmax of the best class, which must be over the threshold. Computed in double precision, the confidence
 * rounded to single.
 *
 * @param confidence threshold, 0…1; not kept at it, only over it.
 * @returns rows in lightnet's order: heads, anchors, cells row by row; boxes in pixels of the network's frame, not clipped.
 * @throws {ImageError} when a logit or a box is not finite, or for over 2²¹ candidates.
 */
export function decodeLightnet(
  heads: readonly YoloHead[],
  { classes, confidence, frame }: { classes: number; confidence: number; frame: Size },
): YoloRows {
  const threshold = f(confidence);
  const table = new RowTable(classes);
  for (const head of heads) {
    requireFinite(head);
    const { logits, width, height, anchors } = head;
    const cells = width * height, entries = 5 + classes;
    const stride = Math.floor(frame.height / height);
    anchors.forEach(([anchorWidth, anchorHeight], anchor) => {
      const plane = (entry: number) => (anchor * entries + entry) * cells;
      const at: number[] = [], objectness: number[] = [];
      for (let cell = 0; cell < cells; cell++) {
        const value = sigmoid(logits[plane(4) + cell]);
        // The softmax is at most 1.
        if (!(f(value) > threshold)) continue;
        at.push(cell);
        objectness.push(value);
      }
      const best = softmaxBest(logits, plane(5), cells, classes, at);
      at.forEach((cell, i) => {
        const score = f(objectness[i] * best.probability[i]);
        if (!(score > threshold)) return;
        const column = cell % width, line = Math.floor(cell / width);
        const row = table.add(
          (column + sigmoid(logits[plane(0) + cell])) * stride,
          (line + sigmoid(logits[plane(1) + cell])) * stride,
          Math.exp(logits[plane(2) + cell]) * anchorWidth,
          Math.exp(logits[plane(3) + cell]) * anchorHeight,
          objectness[i],
        );
        table.classify(row, best.index[i], score);
      });
    });
  }
  return table.finish();
}

/** The best class of some cells (of equal ones the first) and its softmax. Plane by plane, as the logits lie. */
function softmaxBest(
  logits: Float32Array,
  from: number,
  cells: number,
  classes: number,
  at: readonly number[],
): { index: Int32Array; probability: Float64Array } {
  const index = new Int32Array(at.length);
  const most = new Float64Array(at.length).fill(-Infinity);
  for (let c = 0; c < classes; c++) {
    for (let i = 0; i < at.length; i++) {
      const logit = logits[from + c * cells + at[i]];
      if (logit > most[i]) {
        most[i] = logit;
        index[i] = c;
      }
    }
  }
  const sum = new Float64Array(at.length);
  for (let c = 0; c < classes; c++) {
    for (let i = 0; i < at.length; i++) {
      sum[i] += Math.exp(logits[from + c * cells + at[i]] - most[i]);
    }
  }
  return { index, probability: sum.map((value) => 1 / value) };
}

function requireFinite({ name, logits }: YoloHead): void {
  for (let i = 0; i < logits.length; i++) {
    if (!Number.isFinite(logits[i])) {
      throw new ImageError(
        `Cannot detect objects: output ${name} of the network holds ${logits[i]} at place ${i}`,
      );
    }
  }
}

function tooMany(limit: number): ImageError {
  return new ImageError(
    `Cannot detect objects: over ${limit} candidate boxes; choose a higher ${flag("confidence")}`,
  );
}

/** Rows as they are found. */
class RowTable {
  readonly boxes: number[] = [];
  readonly objectness: number[] = [];
  readonly classes: { rows: number[]; confidence: number[] }[];
  #candidates = 0;

  constructor(classes: number) {
    this.classes = Array.from({ length: classes }, () => ({ rows: [], confidence: [] }));
  }

  /** @returns the new row's number. @throws {ImageError} when its box is not finite, or there are too many. */
  add(x: number, y: number, width: number, height: number, objectness: number): number {
    if (![x, y, width, height].every(Number.isFinite)) {
      throw new ImageError(
        `Cannot detect objects: the network gives a box of ${width} x ${height} pixels around (${x}, ${y})`,
      );
    }
    if (this.objectness.length === MOST_ROWS) throw tooMany(MOST_ROWS);
    this.boxes.push(x, y, width, height);
    return this.objectness.push(objectness) - 1;
  }

  /** @throws {ImageError} when there are too many. */
  classify(row: number, index: number, confidence: number): void {
    if (++this.#candidates > MOST_CANDIDATES) throw tooMany(MOST_CANDIDATES);
    const { rows, confidence: of } = this.classes[index];
    rows.push(row);
    of.push(confidence);
  }

  finish(): YoloRows {
    return {
      boxes: Float64Array.from(this.boxes),
      objectness: Float64Array.from(this.objectness),
      classes: this.classes,
    };
  }
}
