import { pearson } from "../../correlation.ts";
import type { Distance } from "./distance.ts";

/** One minus Pearson's correlation of two rows, 0..2; NaN for a constant row. */
export const correlation: Distance = {
  name: "correlation",
  source: "1 − Pearson's r",
  between: (x, y) => 1 - pearson(x, y).r,
};
