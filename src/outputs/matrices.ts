/**
 * `matrices/METHOD.MEASURE.csv`: objects × classes, one file for each method and measure.
 *
 * @module
 */

import { matrixCsv } from "../association/matrices.ts";
import { MEASURES } from "../statistics/measures/mod.ts";
import { NOTHING, type Output } from "./output.ts";

const fileOf = (method: string, measure: string) => `matrices/${method}.${measure}.csv`;

/** The output `matrices/`. */
export const matrices: Output = {
  file: "matrices",
  folder: true,
  names({ methods }) {
    const measures = Object.values(MEASURES).map(({ name }) => name);
    const all = new Set(methods.flatMap((own) => measures.map((name) => fileOf(own, name))));
    return (name) => all.has(name);
  },
  async write(folder, { counted }) {
    for (const { method, matrices } of counted.methods) {
      for (const matrix of matrices) {
        await folder.write(fileOf(method, matrix.measure), matrixCsv(matrix));
      }
    }
    return NOTHING;
  },
};
