import { adjustByRank, type Correction } from "./correction.ts";

/** Holm's step-down procedure: p·(m − rank + 1), for tests that depend in any way. */
export const holm: Correction = {
  name: "holm",
  title: "Holm",
  source: "Holm 1979, Scand. J. Stat. 6, 65–70",
  controls: "family-wise error rate",
  adjust: (p) => adjustByRank(p, (rank, m) => m - rank + 1, "from the smallest"),
};
