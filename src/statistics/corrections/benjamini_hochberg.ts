import { adjustByRank, type Correction } from "./correction.ts";

/** Benjamini and Hochberg's step-up procedure: p·m/rank, for independent or positively dependent tests. */
export const benjaminiHochberg: Correction = {
  name: "benjamini-hochberg",
  title: "Benjamini–Hochberg",
  source: "Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57, 289–300",
  controls: "false discovery rate",
  adjust: (p) => adjustByRank(p, (rank, m) => m / rank, "from the largest"),
};
