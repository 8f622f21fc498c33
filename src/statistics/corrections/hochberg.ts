import { adjustByRank, type Correction } from "./correction.ts";

/** Hochberg's step-up procedure: p·(m − rank + 1), for independent or positively dependent tests. */
export const hochberg: Correction = {
  name: "hochberg",
  title: "Hochberg",
  source: "Hochberg 1988, Biometrika 75, 800–802",
  controls: "family-wise error rate",
  adjust: (p) => adjustByRank(p, (rank, m) => m - rank + 1, "from the largest"),
};
