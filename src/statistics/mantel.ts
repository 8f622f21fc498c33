/**
 * Mantel's test: are two matrices of distances between the same things related? And the partial test, with a third one held fixed.
 *
 * Sources: Mantel 1967, Cancer Research 27, 209–220; Smouse, Long & Sokal 1986, Systematic Zoology 35, 627–632.
 *
 * @module
 */

import { type Rng, shuffle } from "../base/rng.ts";
import { ranks, unit } from "./correlation.ts";
import type { Alternative } from "./exact/unimodal.ts";

/** What a Mantel test finds. */
export interface MantelResult {
  /** The coefficient, −1..1; partial if a third matrix was given. NaN where a matrix is constant or holds a NaN. */
  readonly r: number;
  /** Permutations with a coefficient as extreme. */
  readonly hits: Readonly<Record<Alternative, number>>;
  /** (hits + 1) / (permutations + 1), or hits / n! over all of them, 0..1; NaN where r is. */
  readonly p: Readonly<Record<Alternative, number>>;
  readonly permutations: number;
}

/** How a Mantel test is done. */
export interface MantelOptions {
  /** Pearson's coefficient of the distances, or of their ranks. Default "pearson". */
  readonly correlation?: "pearson" | "spearman";
  /** Orders of the things by which x is permuted, rows and columns together; "all" is each of the n!. */
  readonly permutations: "all" | Iterable<ArrayLike<number>>;
  /** Distances that are held fixed: the partial test. */
  readonly given?: ArrayLike<number>;
}

/** Coefficients closer than this are ties: sums in another order differ in their last digits. */
const TIE = 1e-9;
/** 9! is 362,880. */
const MOST_OF_ALL = 9;

/**
 * Mantel's test of x and y, upper triangles by row of two symmetric matrices, n(n−1)/2 values each; x is permuted, y and `given` are not.
 *
 * The partial coefficient is (rxy − rxz ryz) / √((1 − rxz²)(1 − ryz²)), z being `given`, all of ranks for "spearman".
 *
 * @throws {RangeError} when lengths are not those of triangles of one size, or all permutations of more than nine things are wanted
 */
export function mantel(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { correlation = "pearson", permutations, given }: MantelOptions,
): MantelResult {
  const n = things(x.length);
  for (const other of given ? [y, given] : [y]) {
    if (other.length !== x.length) {
      throw new RangeError(
        `Cannot compare distances of unequal number: ${x.length} and ${other.length}`,
      );
    }
  }
  if (permutations === "all" && n > MOST_OF_ALL) {
    throw new RangeError(
      `Cannot go through all permutations of ${n} things: give a list of them over ${MOST_OF_ALL}`,
    );
  }
  const of = (values: ArrayLike<number>) =>
    scaled(correlation === "spearman" ? ranked(values) : values);
  const u = of(x), v = of(y), w = given && of(given);
  const vw = w ? product(v, w) : 0;
  const coefficient = (permuted: Float64Array) => {
    const uv = product(permuted, v);
    if (!w) return uv;
    const uw = product(permuted, w);
    return (uv - uw * vw) / Math.sqrt((1 - uw * uw) * (1 - vw * vw));
  };
  const r = coefficient(u);
  const hits = { "two-sided": 0, greater: 0, less: 0 };
  let count = 0;
  const permuted = new Float64Array(u.length);
  for (const order of permutations === "all" ? allPermutations(n) : permutations) {
    permute(u, order, n, permuted);
    const other = coefficient(permuted);
    count++;
    if (Math.abs(other) >= Math.abs(r) - TIE) hits["two-sided"]++;
    if (other >= r - TIE) hits.greater++;
    if (other <= r + TIE) hits.less++;
  }
  const p = (hit: number) =>
    Number.isNaN(r) ? NaN : permutations === "all" ? hit / count : (hit + 1) / (count + 1);
  return {
    r,
    hits,
    p: { "two-sided": p(hits["two-sided"]), greater: p(hits.greater), less: p(hits.less) },
    permutations: count,
  };
}

/** Random permutations of 0 … n − 1; the one of an index does not depend on those before it. */
export function* randomPermutations(n: number, count: number, rng: Rng): Generator<Uint32Array> {
  for (let k = 0; k < count; k++) {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    shuffle(order, rng.split(k));
    yield order;
  }
}

/** All permutations in lexicographic order, the identity first; one array, changed in place. */
function* allPermutations(n: number): Generator<Uint32Array> {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (;;) {
    yield order;
    let i = n - 2;
    while (i >= 0 && order[i] > order[i + 1]) i--;
    if (i < 0) return;
    let j = n - 1;
    while (order[j] < order[i]) j--;
    [order[i], order[j]] = [order[j], order[i]];
    order.subarray(i + 1).reverse();
  }
}

/** X[p][:, p] of an upper triangle. */
function permute(u: Float64Array, order: ArrayLike<number>, n: number, result: Float64Array): void {
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const a = Math.min(order[i], order[j]), b = Math.max(order[i], order[j]);
      result[at++] = u[a * (2 * n - a - 1) / 2 + b - a - 1];
    }
  }
}

/** How many things have so many pairs. */
function things(pairs: number): number {
  const n = Math.round((1 + Math.sqrt(1 + 8 * pairs)) / 2);
  if (n * (n - 1) / 2 !== pairs) {
    throw new RangeError(
      `Cannot take ${pairs} distances for a triangle: n things have n(n−1)/2; give each pair once`,
    );
  }
  return n;
}

/** NaN has no rank: one makes the coefficient NaN. */
function ranked(values: ArrayLike<number>): ArrayLike<number> {
  return Array.from(values).some(Number.isNaN) ? values : ranks(values);
}

/** Centred and of length 1; NaN throughout where all are equal. */
function scaled(values: ArrayLike<number>): Float64Array {
  const isConstant = Array.prototype.every.call(values, (value: number) => value === values[0]);
  return isConstant ? new Float64Array(values.length).fill(NaN) : unit(values);
}

function product(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}
