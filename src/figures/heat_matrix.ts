/**
 * An object × class matrix as a heat map.
 *
 * @module
 */

import { compareCodePoints } from "../base/code_points.ts";
import { Canvas } from "./drawing/canvas.ts";
import { type ColourScale, inkOn, MISSING, scaleFor } from "./drawing/colour.ts";
import { BOLD_WIDTH, shorten, textWidth, wrap } from "./drawing/font.ts";
import { count, fixed, plural } from "../base/number_text.ts";
import type { HeatMatrixData, HeatMatrixOptions } from "./figure.ts";
import { legible } from "../base/legible.ts";

const MARGIN = 16;
const TITLE = 16, SMALL = 11.5, LABEL = 11.5, NUMBER = 10.5;
const LINE = 1.35;
const ROW_LABEL_WIDTH = 190, COLUMN_LABEL_WIDTH = 130;
const MINIMUM_WIDTH = 460;

/** The rows and columns that a heat map shows, by index, and a sentence for each reduction. */
interface Selection {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly notes: readonly string[];
}

/** The name of a matrix: what is in its cells, and by which method. */
export function matrixName(
  data: Pick<HeatMatrixData, "name" | "measure" | "method">,
): string {
  return data.name ?? `${data.measure} of object × class, ${data.method}`;
}

/**
 * Chooses what is shown. Rows are sorted by their largest |value|, rows without any value last, ties by name (code points); columns keep their
 * order and are only chosen by strength when there are too many.
 */
export function select(data: HeatMatrixData, options: HeatMatrixOptions = {}): Selection {
  const { objects, classes, values } = data;
  const maxRows = options.maxRows ?? 40, maxColumns = options.maxColumns ?? 40;
  const notes: string[] = [];
  const signed = scaleFor(data.signed ?? false, Array.from(values)).kind === "diverging";
  const magnitude = signed ? `|${data.measure}|` : data.measure;

  let columns = classes.map((_, j) => j);
  if (columns.length > maxColumns) {
    const strength = columns.map((j) =>
      strongest(objects.map((_, i) => values[i * classes.length + j]))
    );
    columns = ranked(columns, strength, classes).slice(0, maxColumns).sort((a, b) => a - b);
    notes.push(
      `Columns: the ${maxColumns} of ${
        count(classes.length)
      } classes with the largest ${magnitude} for any object.`,
    );
  }

  if (options.rows) {
    const index = new Map(objects.map((name, i) => [name, i]));
    const rows = options.rows.objects.flatMap((name) => index.get(name) ?? []);
    return { rows, columns, notes: [options.rows.rule, ...notes] };
  }
  const strength = objects.map((_, i) =>
    strongest(columns.map((j) => values[i * classes.length + j]))
  );
  const rows = ranked(objects.map((_, i) => i), strength, objects);
  const rule = `sorted by the largest ${magnitude} for any class`;
  notes.unshift(
    rows.length > maxRows
      ? `Rows: the first ${maxRows} of ${count(objects.length)} objects, ${rule}.`
      : `Rows: ${
        objects.length === 1 ? "the only object" : `all ${count(objects.length)} objects`
      }, ${rule}.`,
  );
  return { rows: rows.slice(0, maxRows), columns, notes };
}

function strongest(values: readonly number[]): number {
  return values.reduce(
    (most, value) => Number.isNaN(value) ? most : Math.max(most, Math.abs(value)),
    -1,
  );
}

function ranked(indices: readonly number[], strength: readonly number[], names: readonly string[]) {
  return [...indices].sort((a, b) =>
    strength[b] - strength[a] || compareCodePoints(names[a], names[b]) || a - b
  );
}

/**
 * Draws a matrix: viridis from 0, or red–white–blue centred on 0 where the measure or a value calls for it; numbers in the cells when few
 * are drawn; grey hatched cells where the value is NaN (with their count in the legend); cells carry their full text as a title.
 *
 * An empty matrix, or one of NaN only, gives a figure that says so.
 *
 * @throws {RangeError} when the number of values is not objects × classes.
 */
export function heatMatrix(data: HeatMatrixData, options: HeatMatrixOptions = {}): string {
  const { objects, classes, values } = data;
  if (values.length !== objects.length * classes.length) {
    throw new RangeError(
      `Cannot draw a matrix of ${objects.length} objects and ${classes.length} classes: ${values.length} values`,
    );
  }
  const scale = scaleFor(data.signed ?? false, options.scaleOver ?? Array.from(values));
  const { rows, columns, notes } = select(data, options);
  const value = (row: number, column: number) => values[row * classes.length + column];
  const cells = rows.length * columns.length;
  const numbers = cells <= (options.numbersUpTo ?? 320);
  const digits = digitsFor(values);

  const canvas = new Canvas(options);
  const rowLabels = rows.map((i) => shorten(legible(objects[i]), LABEL, ROW_LABEL_WIDTH));
  const columnLabels = columns.map((j) => shorten(legible(classes[j]), LABEL, COLUMN_LABEL_WIDTH));
  const widest = (labels: readonly string[]) =>
    labels.reduce((most, label) => Math.max(most, textWidth(label, LABEL)), 0);

  const cellHeight = numbers ? 24 : 17;
  const rowLabelWidth = Math.max(24, widest(rowLabels));
  const columnLabelWidth = widest(columnLabels);
  const room = MINIMUM_WIDTH - rowLabelWidth - 8;
  const cellWidth = Math.max(
    numbers ? 44 : 24,
    Math.min(numbers ? 72 : 40, room / Math.max(1, columns.length)),
  );
  const slanted = columnLabelWidth > cellWidth - 6;
  const left = MARGIN + rowLabelWidth + 8;
  const gridWidth = cellWidth * columns.length;
  // A slanted label of the last column reaches beyond the grid.
  const overhang = slanted && columns.length > 0
    ? textWidth(columnLabels.at(-1)!, LABEL) * Math.SQRT1_2
    : 0;
  const width = Math.max(MINIMUM_WIDTH, left + gridWidth + Math.max(0, overhang - cellWidth / 2)) +
    MARGIN;
  const inner = width - 2 * MARGIN;

  // Head: the name of the quantity, then what was counted.
  let y = MARGIN + TITLE * 0.8;
  const paragraph = (text: string, size: number, muted: boolean) => {
    for (const line of wrap(legible(text), size, muted ? inner : inner / BOLD_WIDTH)) {
      canvas.text(line, MARGIN, y, {
        size,
        bold: !muted,
        ...(muted ? { opacity: canvas.ink.muted } : {}),
      });
      y += size * LINE;
    }
  };
  const name = matrixName(data);
  paragraph(name, TITLE, false);
  const facts = factsOf(data);
  paragraph(facts, SMALL, true);

  if (cells === 0) {
    paragraph("Empty: there is no object or no class in this matrix.", SMALL, true);
    return canvas.finish(width, y + MARGIN - SMALL, name, `${facts} Empty.`);
  }

  const top = y + (slanted ? columnLabelWidth * Math.SQRT1_2 : 0) + 10;
  columnLabels.forEach((label, j) => {
    const x = left + (j + 0.5) * cellWidth;
    canvas.text(
      label,
      slanted ? x + 3 : x,
      top - 6,
      slanted ? { size: LABEL, rotate: -45 } : { size: LABEL, anchor: "middle" },
    );
  });
  drawCells(canvas, {
    rows,
    columns,
    objects,
    classes,
    value,
    scale,
    numbers,
    digits,
    left,
    top,
    cellWidth,
    cellHeight,
  });
  rowLabels.forEach((label, i) =>
    canvas.text(label, left - 8, top + (i + 0.5) * cellHeight + LABEL * 0.36, {
      size: LABEL,
      anchor: "end",
    })
  );

  y = top + rows.length * cellHeight + 26;
  const missing = rows.flatMap((i) => columns.filter((j) => Number.isNaN(value(i, j)))).length;
  drawLegend(canvas, scale, data.units ?? data.measure, missing, MARGIN + 10, y);
  y += 50;
  notes.forEach((note) => paragraph(note, SMALL, true));
  return canvas.finish(
    width,
    y - SMALL * 0.5 + MARGIN * 0.5,
    name,
    `${facts} ${notes.join(" ")} ${plural(missing, "cell")} without a value.`,
  );
}

/** Decimals that a matrix's values are printed with: none for counts, else two. */
function digitsFor(values: ArrayLike<number>): 0 | 2 {
  return Array.prototype.every.call(values, (value) => !(value % 1)) ? 0 : 2;
}

function factsOf(data: HeatMatrixData): string {
  return data.facts ?? [
        data.n === undefined ? undefined : `n = ${count(data.n)} ${data.counted ?? "samples"}`,
        `${plural(data.objects.length, "object")} × ${
          plural(data.classes.length, "class", "classes")
        }`,
        data.threshold === undefined
          ? undefined
          : `salient: importance over ${fixed(data.threshold)}`,
      ].filter((part) => part !== undefined).join("; ") + ".";
}

interface Cells {
  rows: readonly number[];
  columns: readonly number[];
  objects: readonly string[];
  classes: readonly string[];
  value(row: number, column: number): number;
  scale: ColourScale;
  numbers: boolean;
  digits: number;
  left: number;
  top: number;
  cellWidth: number;
  cellHeight: number;
}

function drawCells(canvas: Canvas, cells: Cells): void {
  const { rows, columns, scale, left, top, cellWidth, cellHeight } = cells;
  const gap = cells.numbers ? 1 : 0.5;
  const missing: { x: number; y: number; width: number; height: number; title: string }[] = [];
  rows.forEach((i, row) =>
    columns.forEach((j, column) => {
      const value = cells.value(i, j);
      const x = left + column * cellWidth, y = top + row * cellHeight;
      const title = `${cells.objects[i]} × ${cells.classes[j]}: ${fixed(value, cells.digits && 3)}`;
      const [width, height] = [cellWidth - gap, cellHeight - gap];
      if (Number.isNaN(value)) {
        missing.push({ x, y, width, height, title });
        return;
      }
      const fill = scale.colour(value);
      canvas.rect(x, y, width, height, { fill }, title);
      if (cells.numbers) {
        canvas.text(fixed(value, cells.digits), x + width / 2, y + height / 2 + NUMBER * 0.36, {
          size: NUMBER,
          anchor: "middle",
          fill: inkOn(fill),
        });
      }
    })
  );
  canvas.missing(missing);
}

function drawLegend(
  canvas: Canvas,
  scale: ColourScale,
  measure: string,
  missing: number,
  x: number,
  y: number,
): void {
  const width = 220, height = 12, steps = 110;
  const [low, high] = scale.domain;
  const at = (value: number) => x + ((value - low) / (high - low)) * width;
  canvas.text(measure, x, y - 5, { size: SMALL });
  for (let i = 0; i < steps; i++) {
    const fill = scale.colour(low + ((i + 0.5) / steps) * (high - low));
    // A hair wider than its share: no background shines through between two steps.
    canvas.rect(x + (i * width) / steps, y, width / steps + (i < steps - 1 ? 0.4 : 0), height, {
      fill,
    });
  }
  const tick = scale.ticks(4);
  const digits = Math.max(0, Math.ceil(-Math.log10(tick[1] - tick[0]) - 1e-9));
  for (const value of tick) {
    canvas.path(`M${at(value).toFixed(2)} ${y + height}v4`, {
      stroke: canvas.ink.text,
      "stroke-opacity": 0.6,
    });
    canvas.text(fixed(value, digits), at(value), y + height + 14, {
      size: 10,
      anchor: "middle",
      opacity: canvas.ink.muted,
    });
  }
  if (missing > 0) {
    const box = x + width + 28;
    canvas.missing([{ x: box, y: y - 2, width: 24, height: 16 }]);
    canvas.rect(box, y - 2, 24, 16, { fill: "none", stroke: MISSING.line, "stroke-width": 0.5 });
    canvas.text(`no value: ${plural(missing, "cell")}`, box + 31, y + 10, { size: SMALL });
  }
}
