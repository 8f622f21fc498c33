import { pearson } from "../../correlation.ts";
import { type Comparison, standardised } from "./comparison.ts";

/** Pearson's correlation of two RDMs, −1..1. */
export const correlation: Comparison = {
  name: "correlation",
  source: "Pearson's r, rsatoolbox's corr",
  value: (x, y) => pearson(x, y).r,
  scaled: standardised,
};
