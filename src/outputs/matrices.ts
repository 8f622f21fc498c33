/**
 * `matrices/METHOD.MEASURE.csv`: objects × classes, one file for each method and measure.
 *
 * @module
 */

import { join } from "node:path";
import { matrixCsv } from "../association/matrices.ts";
import { writeWhole } from "../base/files.ts";
import { clearFolder, NOTHING, type Output } from "./output.ts";

/** The output `matrices/`. */
export const matrices: Output = {
  file: "matrices",
  async write(folder, { counted }) {
    await clearFolder(folder);
    for (const { method, matrices } of counted.methods) {
      for (const matrix of matrices) {
        await writeWhole(join(folder, `${method}.${matrix.measure}.csv`), matrixCsv(matrix));
      }
    }
    return NOTHING;
  },
};
