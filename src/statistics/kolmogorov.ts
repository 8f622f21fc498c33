/**
 * Whether numbers are spread evenly over 0..1, as p values are under the null.
 *
 * @module
 */

import { logFactorials } from "./exact/log_factorial.ts";

/** A distance and its p. */
interface Distance {
  /** 0..1. */
  readonly statistic: number;
  readonly p: number;
}

/** The test of Kolmogorov and Smirnov and its two one-sided forms. */
export interface KolmogorovTest extends Distance {
  /** The p in the limit of many numbers. */
  readonly asymptotic: number;
  /** How far the share of numbers up to x is above x at most: numbers are too small. Exact p. */
  readonly greater: Distance;
  /** How far it is below x at most: numbers are too large. Exact p. */
  readonly less: Distance;
}

/** Up to here the two-sided p is exact; above, where that takes seconds, nearly. */
const EXACT_UP_TO = 1000;

/**
 * The one-sample Kolmogorov–Smirnov test against the uniform distribution over 0..1: D is the largest distance between the share of numbers up to x and x.
 *
 * The one-sided p are exact for any n (Birnbaum & Tingey 1951), the two-sided one up to 1,000 numbers: by the matrix power of Marsaglia, Tsang and Wang
 * (2003, J. Stat. Softw. 8(18)), and where n D² ≥ 4 twice the one-sided p, from which it then differs by less than 1e-9 of itself.
 * Above 1,000 numbers it is within 2e-4 of itself: twice the one-sided p where n D² ≥ 1.5, else the limit with Vrbik's correction (2020, Appl. Math. 11,
 * 227–246).
 *
 * p that take few values, as raw exact p of counts do, are not uniform: randomise them first.
 *
 * @param values 0..1, in any order
 * @returns all NaN where there are no values or one is NaN
 */
export function kolmogorovUniform(values: ArrayLike<number>): KolmogorovTest {
  const sorted = Float64Array.from(values).sort(), n = sorted.length;
  let above = 0, below = 0;
  sorted.forEach((value, at) => {
    above = Math.max(above, (at + 1) / n - value);
    below = Math.max(below, value - at / n);
  });
  if (n === 0) above = below = NaN;
  const statistic = Math.max(above, below);
  return {
    statistic,
    p: twoSided(n, statistic),
    asymptotic: limit(Math.sqrt(n) * statistic),
    greater: { statistic: above, p: oneSided(n, above) },
    less: { statistic: below, p: oneSided(n, below) },
  };
}

/** P(D⁺ ≥ d) = d Σ_j C(n, j) (d + j/n)^(j−1) (1 − d − j/n)^(n−j) over j ≤ n (1 − d): all terms positive. */
function oneSided(n: number, d: number): number {
  if (Number.isNaN(d)) return NaN;
  if (d <= 0) return 1;
  if (d >= 1) return 0;
  const factorial = logFactorials(n);
  let sum = 0;
  for (let j = 0; j <= n; j++) {
    const rest = 1 - d - j / n;
    if (rest <= 0) break;
    sum += Math.exp(
      factorial[n] - factorial[j] - factorial[n - j] + (j - 1) * Math.log(d + j / n) +
        (n - j) * Math.log(rest),
    );
  }
  return Math.min(1, d * sum);
}

/** P(D ≥ d). */
function twoSided(n: number, d: number): number {
  if (Number.isNaN(d)) return NaN;
  const exact = n <= EXACT_UP_TO;
  if (n * d * d >= (exact ? 4 : 1.5)) return Math.min(1, 2 * oneSided(n, d));
  return exact ? matrixP(n, d) : limit(corrected(n, d));
}

/** P(D ≥ d) by the middle element of a matrix's power. */
function matrixP(n: number, d: number): number {
  // The names are those of Marsaglia, Tsang and Wang.
  const k = Math.floor(n * d) + 1, m = 2 * k - 1, h = k - n * d;
  const factorial = logFactorials(Math.max(n, m));
  const H = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j <= Math.min(m - 1, i + 1); j++) {
      const order = i - j + 1;
      let value = 1;
      if (j === 0) value -= h ** order;
      if (i === m - 1) value -= h ** (m - j);
      if (j === 0 && i === m - 1 && h > .5) value += (2 * h - 1) ** m;
      H[i * m + j] = value / Math.exp(factorial[order]);
    }
  }
  const { value, exponent } = powerElement(H, m, n, (k - 1) * m + k - 1);
  return 1 - value * Math.exp(factorial[n] - n * Math.log(n) + exponent);
}

/** One element of a matrix's power, as value × e^exponent: the power itself passes the largest double. */
function powerElement(
  matrix: Float64Array,
  m: number,
  power: number,
  element: number,
): { value: number; exponent: number } {
  let base = matrix, baseExponent = 0;
  let result: Float64Array | undefined, exponent = 0;
  const middle = (m - 1) / 2 * (m + 1);
  const scaled = (values: Float64Array) => {
    const size = values[middle];
    if (size < 1e140) return 0;
    for (let at = 0; at < values.length; at++) values[at] /= size;
    return Math.log(size);
  };
  for (let left = power; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) {
      exponent += baseExponent;
      result = result === undefined ? base.slice() : product(result, base, m);
      exponent += scaled(result);
    }
    if (left > 1) {
      base = product(base, base, m);
      baseExponent = 2 * baseExponent + scaled(base);
    }
  }
  return { value: result![element], exponent };
}

function product(a: Float64Array, b: Float64Array, m: number): Float64Array {
  const c = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    for (let k = 0; k < m; k++) {
      const factor = a[i * m + k];
      if (factor === 0) continue;
      for (let j = 0; j < m; j++) c[i * m + j] += factor * b[k * m + j];
    }
  }
  return c;
}

/** The t at which the limit is nearly what n numbers give. */
function corrected(n: number, d: number): number {
  const t = Math.sqrt(n) * d;
  return t + 1 / (6 * Math.sqrt(n)) + (t - 1) / (4 * n);
}

/** Kolmogorov's limit 2 Σ (−1)^(k−1) e^(−2k²t²), t = √n d. */
function limit(t: number): number {
  if (Number.isNaN(t)) return NaN;
  // Below this the series would need many terms, and p is 1 within 1e-13.
  if (t < .18) return 1;
  let sum = 0;
  for (let k = 1; k <= 40; k++) {
    const term = Math.exp(-2 * k * k * t * t);
    sum += k % 2 === 1 ? term : -term;
    if (term < 1e-17) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
}
