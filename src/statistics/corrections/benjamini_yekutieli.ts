import { adjustByRank, type Correction } from "./correction.ts";

/** Benjamini and Yekutieli's step-up procedure: p·m/rank·(1 + 1/2 + … + 1/m), for tests that depend in any way. */
export const benjaminiYekutieli: Correction = {
  name: "benjamini-yekutieli",
  title: "Benjamini–Yekutieli",
  source: "Benjamini & Yekutieli 2001, Ann. Stat. 29, 1165–1188",
  controls: "false discovery rate",
  adjust(p) {
    let harmonic = 0;
    let m = 0;
    for (let i = 0; i < p.length; i++) if (!Number.isNaN(p[i])) harmonic += 1 / ++m;
    return adjustByRank(p, (rank, m) => m / rank * harmonic, "from the largest");
  },
};
