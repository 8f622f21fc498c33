/**
 * The Mantel–Haenszel estimate and tests of an association common to several 2×2 tables.
 *
 * @module
 */

import { chiSquareSurvival, normalQuantile } from "../distributions.ts";
import type { TwoByTwo } from "../exact/hypergeometric.ts";

/** A pooled odds ratio and its interval. */
export interface PooledOdds {
  /** Odds ratio, 0..Infinity. */
  readonly value: number;
  /** Its natural logarithm, and the standard error of that. */
  readonly log: number;
  readonly se: number;
  /** Interval of the odds ratio. */
  readonly low: number;
  readonly high: number;
}

/** A statistic, its degrees of freedom and its p by χ². */
export interface ChiSquareTest {
  readonly statistic: number;
  readonly freedom: number;
  readonly p: number;
}

/**
 * The Mantel–Haenszel odds ratio Σ(ad/n) / Σ(bc/n), with the interval of Robins, Breslow and Greenland (1986, Biometrics 42, 311–323), which holds both
 * for few large strata and for many small ones:
 *
 *     var = ΣPR / 2R² + Σ(PS + QR) / 2RS + ΣQS / 2S²,   P = (a+d)/n, Q = (b+c)/n, R = ad/n, S = bc/n (unindexed: sums)
 *
 * A stratum with an empty margin adds nothing to the estimate. Where ΣR or ΣS is 0 the ratio is 0 or Infinity and its interval NaN; where both
 * are, all is NaN.
 *
 * @param tables one 2×2 table a stratum; counts may be weighted
 * @param confidence 0..1
 */
export function mantelHaenszel(tables: readonly TwoByTwo[], confidence = .95): PooledOdds {
  let R = 0, S = 0, PR = 0, PSQR = 0, QS = 0;
  for (const { a, b, c, d } of tables) {
    const n = a + b + c + d;
    if (n === 0) continue;
    const p = (a + d) / n, q = (b + c) / n, r = a * d / n, s = b * c / n;
    R += r;
    S += s;
    PR += p * r;
    PSQR += p * s + q * r;
    QS += q * s;
  }
  const log = Math.log(R / S);
  const se = Math.sqrt(PR / (2 * R * R) + PSQR / (2 * R * S) + QS / (2 * S * S));
  const z = normalQuantile((1 + confidence) / 2);
  return { value: R / S, log, se, low: Math.exp(log - z * se), high: Math.exp(log + z * se) };
}

/**
 * The Cochran–Mantel–Haenszel test of a common odds ratio of 1: (|Σ(a − E a)| − k)² / Σ var a, with the hypergeometric mean and variance of each
 * stratum, k = ½ if `corrected`. As in statsmodels the difference is not cut at 0 when it is below ½ (R cuts it).
 *
 * **Its χ² p does not control errors where expected counts are small**: `exactConditional` does.
 *
 * Strata of fewer than two are passed over. NaN where all strata have an empty margin.
 */
export function cochranMantelHaenszel(
  tables: readonly TwoByTwo[],
  corrected = false,
): ChiSquareTest {
  let difference = 0, variance = 0;
  for (const { a, b, c, d } of tables) {
    const n = a + b + c + d;
    if (n < 2) continue;
    difference += (a * d - b * c) / n;
    variance += (a + b) * (c + d) * (a + c) * (b + d) / (n * n * (n - 1));
  }
  const distance = Math.abs(difference) - (corrected ? .5 : 0);
  const statistic = variance > 0 ? distance * distance / variance : NaN;
  return { statistic, freedom: 1, p: chiSquareSurvival(statistic, 1) };
}
