import { adjustByRank, type Correction } from "./correction.ts";

/** Bonferroni's: p·m. */
export const bonferroni: Correction = {
  name: "bonferroni",
  title: "Bonferroni",
  source: "Dunn 1961, J. Am. Stat. Assoc. 56, 52–64",
  controls: "family-wise error rate",
  adjust: (p) => adjustByRank(p, (_, m) => m, "from the largest"),
};
