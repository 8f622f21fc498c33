/**
 * The exact test of a proportion.
 *
 * @module
 */

import { logFactorials } from "./log_factorial.ts";
import { type Alternative, exactP } from "./unimodal.ts";

/**
 * Exact binomial p: the probability of counts at least as extreme as `count` of `n` when each happens with `probability`. `two-sided` sums all counts
 * that are no more probable than the one observed, as R and scipy do. Relative error < 1e-9 down to 1e-300.
 *
 * @param count 0..n
 * @param probability strictly between 0 and 1
 * @returns 0..1; NaN without trials or where the probability is not between 0 and 1
 */
export function exactBinomial(
  count: number,
  n: number,
  probability: number,
  alternative: Alternative = "two-sided",
): number {
  if (!(n > 0 && probability > 0 && probability < 1)) return NaN;
  const factorial = logFactorials(n);
  const yes = Math.log(probability), no = Math.log1p(-probability);
  const odds = probability / (1 - probability);
  const distribution = {
    low: 0,
    high: n,
    mode: Math.min(n, Math.floor((n + 1) * probability)),
    log: (k: number) => factorial[n] - factorial[k] - factorial[n - k] + k * yes + (n - k) * no,
    ratio: (k: number) => (n - k + 1) / k * odds,
  };
  return exactP(distribution, count, alternative);
}
