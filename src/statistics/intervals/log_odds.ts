/**
 * The log odds ratio of a 2×2 table and its interval.
 *
 * @module
 */

import { normalQuantile, normalTwoSided } from "../distributions.ts";
import type { TwoByTwo } from "../exact/hypergeometric.ts";

/** An estimate with its interval. */
export interface LogOdds {
  /** Natural logarithm of the odds ratio. */
  readonly value: number;
  readonly se: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided p of 0, by the normal distribution. */
  readonly p: number;
}

/** ln ((a+½)(d+½) / ((b+½)(c+½))), finite for any counts, which may be weighted; NaN where all are 0. */
export function logOdds({ a, b, c, d }: TwoByTwo): number {
  return a + b + c + d === 0 ? NaN : Math.log((a + .5) * (d + .5) / ((b + .5) * (c + .5)));
}

/**
 * Log odds ratio with Haldane's and Anscombe's ½ in every cell and Wald's interval: se² is the sum of the reciprocals of the four counts so
 * enlarged (Agresti, Categorical Data Analysis, 3.1.1). The interval covers well in rare cells, where bootstrap intervals do not.
 *
 * Where an object or class always or never happens it is wide, and holds 0. All is NaN where there are no samples.
 *
 * @param table counts, which may be weighted
 * @param confidence 0..1
 */
export function logOddsInterval(table: TwoByTwo, confidence = .95): LogOdds {
  const value = logOdds(table);
  const { a, b, c, d } = table;
  const se = Math.sqrt(1 / (a + .5) + 1 / (b + .5) + 1 / (c + .5) + 1 / (d + .5));
  if (Number.isNaN(value)) return { value, se: NaN, low: NaN, high: NaN, p: NaN };
  const reach = normalQuantile((1 + confidence) / 2) * se;
  return { value, se, low: value - reach, high: value + reach, p: normalTwoSided(value / se) };
}
