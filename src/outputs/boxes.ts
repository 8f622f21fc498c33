/**
 * `boxes.csv`: the boxes of a run with their importances.
 *
 * @module
 */

import type { Field } from "../base/csv.ts";
import type { ScoredSample } from "../ledger/rows.ts";
import { writeTable } from "./table.ts";

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
