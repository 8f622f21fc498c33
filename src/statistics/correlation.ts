/**
 * Pearson's and Spearman's correlation with two-sided p values, as `scipy.stats.pearsonr` and `spearmanr` give them.
 *
 * @module
 */

import { correlationP } from "./student_t.ts";

/** A correlation coefficient. */
export interface Correlation {
  /** −1..1, or NaN where it is not defined. */
  readonly r: number;
  /** Two-sided p under independence (Student's t, n − 2 degrees of freedom); it takes the pairs for independent. */
  readonly p: number;
  /** Pairs it was taken over. */
  readonly n: number;
}

/**
 * Pearson's product-moment correlation of two equally long vectors.
 *
 * NaN (with p NaN) where one of them is constant, holds a NaN or an infinity, or there are fewer than two pairs (where scipy throws).
 * Two pairs give exactly ±1 and p 1.
 *
 * @throws {RangeError} when the lengths differ
 */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): Correlation {
  const n = pairs(x, y);
  if (n < 2 || isConstant(x) || isConstant(y)) return { r: NaN, p: NaN, n };
  const u = unit(x), v = unit(y);
  let r = 0;
  for (let i = 0; i < n; i++) r += u[i] * v[i];
  r = clip(r);
  if (n === 2) return { r: Math.round(r), p: Number.isNaN(r) ? NaN : 1, n };
  return { r, p: correlationP(r, n), n };
}

/**
 * Pearson's coefficient of two equally long vectors, nothing else: half the time of {@linkcode pearson}, and exact enough for maps, whose
 * values lie about 0. Figures of axioms are written as this gives them. NaN where one of the vectors is constant or holds a NaN.
 */
export function plainPearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const n = pairs(x, y);
  let meanX = 0, meanY = 0;
  for (let i = 0; i < n; i++) {
    meanX += x[i] / n;
    meanY += y[i] / n;
  }
  let xy = 0, xx = 0, yy = 0;
  for (let i = 0; i < n; i++) {
    const u = x[i] - meanX, v = y[i] - meanY;
    xy += u * v;
    xx += u * u;
    yy += v * v;
  }
  return xy / Math.sqrt(xx * yy);
}

/**
 * Pearson's coefficient of n pairs from their sums, for vectors that are never held: Σx, Σy, Σx², Σy², Σxy. It loses digits where means are
 * large beside deviations.
 *
 * NaN for fewer than three pairs, and where a variance is no more than rounding leaves of one that is 0.
 */
export function pearsonOfSums(
  [n, x, y, xx, yy, xy]: readonly [number, number, number, number, number, number],
): number {
  const varianceX = xx - x * x / n, varianceY = yy - y * y / n;
  const nothing = 1e-12 * (xx + yy);
  if (n < 3 || varianceX <= nothing || varianceY <= nothing) return NaN;
  return clip((xy - x * y / n) / Math.sqrt(varianceX * varianceY));
}

/**
 * Spearman's rank correlation: Pearson's of the ranks, ties sharing the mean of their ranks. Infinities are ranked.
 *
 * NaN (with p NaN) where one vector is constant or holds a NaN, or there are fewer than two pairs; p alone is NaN for two pairs.
 *
 * @throws {RangeError} when the lengths differ
 */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): Correlation {
  const n = pairs(x, y);
  if (n < 2 || isConstant(x) || isConstant(y) || hasNan(x) || hasNan(y)) {
    return { r: NaN, p: NaN, n };
  }
  const u = centred(ranks(x)), v = centred(ranks(y));
  let uv = 0, uu = 0, vv = 0;
  for (let i = 0; i < n; i++) {
    uv += u[i] * v[i];
    uu += u[i] * u[i];
    vv += v[i] * v[i];
  }
  // In numpy.corrcoef's order, so that a perfect correlation is 1 where it is 1 there, and its p then 0.
  const r = clip(uv / (n - 1) / Math.sqrt(vv / (n - 1)) / Math.sqrt(uu / (n - 1)));
  return { r, p: correlationP(r, n), n };
}

/** The normal distribution's 97.5 % point. */
const Z = 1.959963984540054;

/**
 * Fisher's 95 % interval of Pearson's r, tanh(artanh r ± 1.96 / √(n − 3)), as scipy's `confidence_interval` has it: −1..1 for three pairs
 * and fewer, NaN where r is.
 */
export function fisherInterval({ r, n }: Correlation): [low: number, high: number] {
  if (Number.isNaN(r)) return [NaN, NaN];
  if (n <= 3) return [-1, 1];
  const centre = Math.atanh(r), half = Z / Math.sqrt(n - 3);
  return [Math.tanh(centre - half), Math.tanh(centre + half)];
}

/** Ranks from 1; equal values share the mean of their ranks. NaN has no place in an order: see {@link spearman}. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const order = Uint32Array.from({ length: values.length }, (_, i) => i)
    .sort((i, j) => values[i] < values[j] ? -1 : values[i] > values[j] ? 1 : i - j);
  const result = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    // Ranks start + 1 … end.
    for (let k = start; k < end; k++) result[order[k]] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}

/** The pairs of which neither is NaN, in order: "pairwise complete". */
export function completePairs(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
): [Float64Array, Float64Array] {
  const kept: number[] = [];
  for (let i = 0; i < pairs(x, y); i++) {
    if (!Number.isNaN(x[i]) && !Number.isNaN(y[i])) kept.push(i);
  }
  return [Float64Array.from(kept, (i) => x[i]), Float64Array.from(kept, (i) => y[i])];
}

/**
 * Coefficients of all pairs of equally long columns, each over the pairs of values that are complete; symmetric, and exactly 1 on the
 * diagonal where a column has a correlation with itself.
 */
export function correlationMatrix(
  columns: readonly ArrayLike<number>[],
  correlate: (x: ArrayLike<number>, y: ArrayLike<number>) => Correlation,
): number[][] {
  const matrix = columns.map(() => new Array<number>(columns.length).fill(NaN));
  for (const [i, x] of columns.entries()) {
    for (let j = 0; j <= i; j++) {
      const { r } = correlate(...completePairs(x, columns[j]));
      matrix[i][j] = matrix[j][i] = i === j && !Number.isNaN(r) ? 1 : r;
    }
  }
  return matrix;
}

function pairs(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length) {
    throw new RangeError(`Cannot correlate vectors of unequal length: ${x.length} and ${y.length}`);
  }
  return x.length;
}

function isConstant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

function hasNan(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

/** Less the mean, and less what rounding left of it: far from 0 the mean itself is rounded. */
export function centred(values: ArrayLike<number>): Float64Array {
  const once = lessMean(Float64Array.from(values));
  return lessMean(once);
}

function lessMean(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

/** Centred and of length 1, scaled by the largest first so that no square overflows. */
export function unit(values: ArrayLike<number>): Float64Array {
  const result = centred(values);
  const largest = result.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let squares = 0;
  for (const value of result) squares += (value / largest) ** 2;
  const norm = largest * Math.sqrt(squares);
  return result.map((value) => value / norm);
}

/** Rounding may carry a coefficient past ±1. */
function clip(r: number): number {
  return Math.min(1, Math.max(-1, r));
}
