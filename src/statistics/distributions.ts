/**
 * Probability distributions, by the special functions of @stdlib.
 *
 * Compared with scipy 1.17 on 143 values, far tails included: its `erfc`, `erfcinv`, `gammainc` and `betainc` agree to 3e-13 or better
 * down to 1e-300. Its `stats-base-dists-normal-quantile` is wrong by 4e-7 at q = 1e-12, so the quantile is taken from `erfcinv` here (2e-16).
 * Two-sided p values are survival functions, never 1 − cdf, which is 0 below 1e-16. For p values of correlations see `student_t.ts`.
 *
 * @module
 */

import betainc from "@stdlib/math-base-special-betainc";
import erfc from "@stdlib/math-base-special-erfc";
import erfcinv from "@stdlib/math-base-special-erfcinv";
import gammainc from "@stdlib/math-base-special-gammainc";

/** P(Z ≤ z) of the standard normal; for P(Z > z) give −z. NaN for NaN. */
export function normalCdf(z: number): number {
  return erfc(-z / Math.SQRT2) / 2;
}

/** P(|Z| ≥ |z|) of the standard normal, 0..1. NaN for NaN. */
export function normalTwoSided(z: number): number {
  return erfc(Math.abs(z) / Math.SQRT2);
}

/** The z with P(Z ≤ z) = q. ∓Infinity for 0 and 1, NaN outside of 0..1. */
export function normalQuantile(q: number): number {
  return q === .5 ? 0 : -Math.SQRT2 * erfcinv(2 * q);
}

/** P(X ≥ x) of χ² with the given degrees of freedom. 1 for x ≤ 0; NaN for NaN or without a degree of freedom. */
export function chiSquareSurvival(x: number, freedom: number): number {
  if (!(freedom > 0) || Number.isNaN(x)) return NaN;
  return x <= 0 ? 1 : x === Infinity ? 0 : gammainc(x / 2, freedom / 2, true, true);
}

/** P(|T| ≥ |t|) of Student's t with the given degrees of freedom, which need not be whole. NaN for NaN or without a degree of freedom. */
export function studentTTwoSided(t: number, freedom: number): number {
  if (!(freedom > 0) || Number.isNaN(t)) return NaN;
  if (Math.abs(t) === Infinity) return 0;
  const square = t * t, sum = freedom + square;
  // The part that is below ½, since 1 minus it would lose its digits.
  return square < freedom
    ? betainc(square / sum, .5, freedom / 2, true, true)
    : betainc(freedom / sum, freedom / 2, .5, true, false);
}

/** P(X ≤ x) of the beta distribution, a and b > 0; for P(X > x) give (1 − x, b, a). NaN outside of 0..1. */
export function betaCdf(x: number, a: number, b: number): number {
  return betainc(x, a, b, true, false);
}

/**
 * The x with P(X ≤ x) = q of the beta distribution, a and b > 0, 0..1 and to the last places of a double. NaN outside of 0..1.
 *
 * By halving {@linkcode betaCdf}: @stdlib's `betaincinv` lists all variables of the environment when it is loaded, which emocam has no
 * permission for.
 */
export function betaQuantile(q: number, a: number, b: number): number {
  if (!(q >= 0 && q <= 1 && a > 0 && b > 0)) return NaN;
  if (q === 0 || q === 1) return q;
  let low = Number.MIN_VALUE, high = 1;
  for (;;) {
    // Of the orders of magnitude first.
    const middle = high > 2 * low ? Math.sqrt(low) * Math.sqrt(high) : low + (high - low) / 2;
    if (!(middle > low && middle < high)) return high;
    if (betaCdf(middle, a, b) < q) low = middle;
    else high = middle;
  }
}
