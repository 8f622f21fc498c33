/**
 * How much the methods agree: rank correlation of their similarity matrices, as the paper's meta-analysis has it.
 *
 * What such a figure is worth is limited. The dyads of a matrix are not independent, so the p values are far too small; dyads of two
 * emotions are 0 for every method, since an image has one predicted emotion; and under measures that hold base rates, such as Dice, two
 * methods that pick objects at random agree at about .9.
 *
 * @module
 */

import { correlationMatrix, spearman } from "../../statistics/correlation.ts";

/** Agreement of methods, each [methods, methods]. */
interface MethodComparison {
  /** Spearman's ρ over the dyads that both methods define. */
  readonly rho: readonly (readonly number[])[];
  /** Two-sided p over the dyads that *all* methods define; NaN on the diagonal. */
  readonly p: readonly (readonly number[])[];
  /** Dyads of a matrix, and those that all methods define. */
  readonly dyads: number;
  readonly complete: number;
}

/** The entries below the diagonal of an [m, m] matrix, row by row. */
export function lowerTriangle(matrix: Float64Array, m: number): Float64Array {
  const result = new Float64Array(m * (m - 1) / 2);
  let at = 0;
  for (let i = 1; i < m; i++) {
    for (let j = 0; j < i; j++) result[at++] = matrix[i * m + j];
  }
  return result;
}

/**
 * Compares methods by vectors over the same dyads. A dyad that a method does not define is NaN; an infinite one is ranked.
 *
 * @throws {RangeError} when the vectors' lengths differ
 */
export function compareMethods(vectors: readonly Float64Array[]): MethodComparison {
  const dyads = vectors[0]?.length ?? 0;
  const whole: number[] = [];
  for (let at = 0; at < dyads; at++) {
    if (vectors.every((vector) => !Number.isNaN(vector[at]))) whole.push(at);
  }
  const complete = vectors.map((vector) => Float64Array.from(whole, (at) => vector[at]));
  return {
    rho: correlationMatrix(vectors, spearman),
    p: complete.map((u, i) => complete.map((v, j) => i === j ? NaN : spearman(u, v).p)),
    dyads,
    complete: whole.length,
  };
}
