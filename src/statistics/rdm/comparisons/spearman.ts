import { ranks, spearman as correlate } from "../../correlation.ts";
import type { Comparison } from "./comparison.ts";

/** Spearman's rank correlation of two RDMs, −1..1. */
export const spearman: Comparison = {
  name: "spearman",
  source: "Pearson's r of the ranks, rsatoolbox's spearman",
  value: (x, y) => correlate(x, y).r,
  scaled: ranks,
};
