/**
 * `predictions.csv`: the samples of a run with the classifier's answers.
 *
 * @module
 */

import { headValues } from "../classifier/heads.ts";
import { NOTHING, type Output } from "./output.ts";
import type { Field } from "../base/csv.ts";
import type { PredictionRow } from "../ledger/rows.ts";
import { type Destination, mapRows, writeTable } from "./table.ts";

/**
 * predictions.csv: one row a sample: its image, its place in the image (from 0), its region in image pixels, the predicted class, that
 * class's probability, a column for each linear head of the classifier (valence, arousal …), and a column `p_CLASS` for each class.
 *
 * @throws {RangeError} when a row has another number of probabilities than there are classes.
 */
export function writePredictions(
  to: Destination,
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
    to,
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

/** The shortest decimal that reads back as the same float32. */
function shortestFloat(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9)); // nine digits always do; NaN and infinities as they are
}

const REGION_HEADER = ["image", "sample", "x0", "y0", "x1", "y1"];

/** The output `predictions.csv`. */
export const predictions: Output = {
  file: "predictions.csv",
  write(folder, { run }) {
    const { card } = run.manifest.classifier;
    writePredictions(folder.file("predictions.csv"), run.predictions(), run.classes, {
      names: Object.keys(card.heads ?? {}),
      of: (probabilities) => Object.values(headValues(card, probabilities)),
    });
    return NOTHING;
  },
};
