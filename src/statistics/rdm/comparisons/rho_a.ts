import { centred, ranks } from "../../correlation.ts";
import type { Comparison } from "./comparison.ts";

/** Spearman's coefficient without a correction for ties, −1..1: what it is on average if ties are broken at random. */
export const rhoA: Comparison = {
  name: "rho-a",
  source: "12 Σ (centred ranks' products) / (n³ − n), rsatoolbox's rho-a",
  value(x, y) {
    const u = centred(ranks(x)), v = centred(ranks(y)), n = x.length;
    return 12 * u.reduce((sum, value, i) => sum + value * v[i], 0) / (n ** 3 - n);
  },
  scaled: ranks,
};
