/**
 * `boxes.csv`: the boxes of a run with their importances.
 *
 * @module
 */

import type { Field } from "../base/csv.ts";
import type { FinishedSample } from "../ledger/finished_run.ts";
import { NOTHING, type Output } from "./output.ts";
import { type Destination, writeTable } from "./table.ts";

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

/** What the table needs of a scored sample. */
type NamedSample = Omit<FinishedSample, "method"> & { readonly method: { readonly name: string } };

/**
 * boxes.csv: one row for each sample, method, class whose map was scored, and box: image, sample, method, class, label, confidence, the
 * box in image pixels, importance (0..1 or NaN), share (fraction of the box inside the sample's frame).
 */
export function writeBoxes(
  to: Destination,
  samples: Iterable<NamedSample>,
  classes: readonly string[],
): number {
  function* rows(): Generator<Field[]> {
    for (const { path: image, sample, method, scores } of samples) {
      for (const { class: target, box, importance, share } of scores) {
        const { label, confidence, x0, y0, x1, y1 } = box;
        const place: Field[] = [image, sample.idx, method.name, classes[target], label];
        yield [...place, confidence, x0, y0, x1, y1, importance, share];
      }
    }
  }
  return writeTable(to, BOX_HEADER, rows());
}

/** The output `boxes.csv`. */
export const boxes: Output = {
  file: "boxes.csv",
  write(folder, { run }) {
    writeBoxes(folder.file("boxes.csv"), run.samples(), run.classes);
    return NOTHING;
  },
};
