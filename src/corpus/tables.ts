/**
 * The tables of a run as CSV (RFC 4180, UTF-8, line feeds), written row by row: memory stays flat however large the corpus, and equal
 * rows give equal bytes. A table appears under its name only when it is whole.
 *
 * @module
 */

import { csvText, type Field } from "../base/csv.ts";
import type { PredictionRow, RunImageRow, ScoredSample } from "../ledger/rows.ts";

/** Rows that are turned into text at once. */
const CHUNK = 512;

/** Columns of `images.csv` that every run has. */
export const IMAGE_HEADER: readonly string[] = [
  "path",
  "status",
  "error",
  "width",
  "height",
  "orientation",
  "sha256",
  "samples",
];
const REGION_HEADER = ["image", "sample", "x0", "y0", "x1", "y1"];
const BOX_HEADER = [
  "image",
  "sample",
  "method",
  "class",
  "label",
  "confidence",
  "x0",
  "y0",
  "x1",
  "y1",
  "importance",
  "share",
];

/**
 * Writes a CSV file: first beside it under a temporary name, then renamed. When `rows` throws, nothing is left and an older file of the
 * name stays as it was.
 *
 * @returns the number of rows, without the header.
 */
export function writeTable(
  path: string,
  header: readonly string[],
  rows: Iterable<readonly Field[]>,
): number {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  const file = Deno.openSync(temporary, { write: true, createNew: true });
  try {
    let count = 0;
    let chunk: (readonly Field[])[] = [header];
    for (const row of rows) {
      chunk.push(row);
      count++;
      if (chunk.length >= CHUNK) {
        writeRows(file, chunk);
        chunk = [];
      }
    }
    writeRows(file, chunk);
    file.close();
    Deno.renameSync(temporary, path);
    return count;
  } catch (error) {
    try {
      file.close();
    } catch {
      // it was closed: the renaming failed
    }
    Deno.removeSync(temporary);
    throw error;
  }
}

function writeRows(file: Deno.FsFile, rows: readonly (readonly Field[])[]): void {
  if (rows.length === 0) return;
  let bytes = new TextEncoder().encode(csvText(rows));
  while (bytes.length > 0) bytes = bytes.subarray(file.writeSync(bytes));
}

/**
 * images.csv: one row an image, failed ones too: path, status, error, width, height, orientation, sha256, samples, then the corpus's own
 * columns. One of those that has a name of ours is written as `annotation.NAME`.
 *
 * @param annotations names of the corpus's columns: `ledger.annotationNames(run)`.
 */
export function writeImages(
  path: string,
  images: Iterable<RunImageRow>,
  annotations: readonly string[],
): number {
  const header = annotations.map((name) =>
    IMAGE_HEADER.includes(name) ? `annotation.${name}` : name
  );
  return writeTable(
    path,
    [...IMAGE_HEADER, ...header],
    mapRows(images, (image) => [
      image.path,
      image.status,
      image.error,
      image.width,
      image.height,
      image.orientation,
      image.sha256,
      image.samples,
      ...annotations.map((name) => image.annotation?.[name]),
    ]),
  );
}

/**
 * predictions.csv: one row a sample: its image, its place in the image (from 0), its region in image pixels, the predicted class, that
 * class's probability, a column for each linear head of the classifier (valence, arousal …), and a column `p_CLASS` for each class.
 *
 * @throws {RangeError} when a row has another number of probabilities than there are classes.
 */
export function writePredictions(
  path: string,
  predictions: Iterable<PredictionRow>,
  classes: readonly string[],
  heads: { names: readonly string[]; of(probabilities: Float32Array): readonly number[] } = {
    names: [],
    of: () => [],
  },
): number {
  const header = [
    ...REGION_HEADER,
    "class",
    "probability",
    ...heads.names,
    ...classes.map((name) => `p_${name}`),
  ];
  return writeTable(
    path,
    header,
    mapRows(predictions, ({ path: image, sample, predicted, probabilities }) => {
      if (probabilities.length !== classes.length) {
        throw new RangeError(
          `Cannot list the prediction of ${image}: ${probabilities.length} probabilities of ` +
            `${classes.length} classes`,
        );
      }
      const { idx, x0, y0, x1, y1 } = sample;
      const shortest = Array.from(probabilities, shortestFloat);
      const place: Field[] = [image, idx, x0, y0, x1, y1, classes[predicted], shortest[predicted]];
      return [...place, ...heads.of(probabilities), ...shortest];
    }),
  );
}

/**
 * boxes.csv: one row for each sample, method, class whose map was scored, and box: image, sample, method, class, label, confidence, the
 * box in image pixels, importance (0..1 or NaN), share (fraction of the box inside the sample's frame).
 *
 * @param methods names of the methods, in the order of the stages given to `ledger.scoreRows`.
 */
export function writeBoxes(
  path: string,
  samples: Iterable<ScoredSample>,
  methods: readonly string[],
  classes: readonly string[],
): number {
  function* rows(): Generator<Field[]> {
    for (const { path: image, sample, method, scores } of samples) {
      for (const { class: target, box, importance, share } of scores) {
        const { label, confidence, x0, y0, x1, y1 } = box;
        const place: Field[] = [image, sample.idx, methods[method], classes[target], label];
        yield [...place, confidence, x0, y0, x1, y1, importance, share];
      }
    }
  }
  return writeTable(path, BOX_HEADER, rows());
}

/** The shortest decimal that reads back as the same float32. */
function shortestFloat(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9)); // nine digits always do; NaN and infinities as they are
}

function* mapRows<T>(rows: Iterable<T>, map: (row: T) => Field[]): Generator<Field[]> {
  for (const row of rows) yield map(row);
}
