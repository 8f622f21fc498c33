import { spearman as correlate } from "../../correlation.ts";
import type { Distance } from "./distance.ts";

/** One minus Spearman's correlation of two rows, 0..2; NaN for a constant row. */
export const spearman: Distance = {
  name: "spearman",
  source: "1 − Spearman's r",
  between: (x, y) => 1 - correlate(x, y).r,
};
