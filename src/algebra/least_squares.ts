/**
 * Least squares for systems of any shape and rank.
 *
 * @module
 */

import { type CholeskyFactor, pivotedCholesky, solveLower, solveUpper } from "./cholesky.ts";

/**
 * Prepares the shortest x among those that minimise |Ax − b|, from the products of A's rows alone; in float64.
 *
 * Pivoted Cholesky of AAᵀ finds r independent rows S and writes all rows as M A_S, with M = 1 on S and M = B on the others. Then
 * v = A_S x minimises |Mv − b| (regular, and well-conditioned), and x = A_Sᵀ (A_S A_Sᵀ)⁻¹ v is the shortest with that v. As with
 * normal equations the error grows with the square of A's condition number: right for rows of small whole numbers, whose
 * products are exact.
 *
 * A singular value decomposition gives the same in ten times the time.
 *
 * @param products AAᵀ, [m, m]
 * @param m the number of rows
 * @returns from b [m] to u [m], where x = Aᵀu
 */
export function leastSquares(
  products: Float64Array,
  m: number,
): (b: Float64Array) => Float64Array {
  const rows = pivotedCholesky(products, m);
  const { order, rank, lower } = rows;
  const others = m - rank;
  // B, [others, rank]: the rows that depend on the first ones, as sums of them.
  const sums = Array.from({ length: others }, (_, i) => {
    const row = order[rank + i] * m;
    return solveUpper(rows, lower.subarray(row, row + rank));
  });
  const fit = fitSums(sums, rank);
  return (b) => {
    const ordered = Float64Array.from(order, (row) => b[row]);
    const v = fit(ordered.subarray(0, rank), ordered.subarray(rank));
    const u = new Float64Array(m);
    solveUpper(rows, solveLower(rows, v)).forEach((value, k) => u[order[k]] = value);
    return u;
  };
}

/**
 * The v that minimises |v − s|² + |Bv − t|², through the smaller of 1 + BBᵀ and 1 + BᵀB.
 */
function fitSums(
  sums: readonly Float64Array[],
  rank: number,
): (s: Float64Array, t: Float64Array) => Float64Array {
  const wide = sums.length <= rank;
  const size = wide ? sums.length : rank;
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) matrix[i * size + i] = 1;
  if (wide) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) matrix[i * size + j] += dot(sums[i], sums[j]);
    }
  } else {
    for (const row of sums) {
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) matrix[i * size + j] += row[i] * row[j];
      }
    }
  }
  const factor = pivotedCholesky(matrix, size);
  return (s, t) => {
    if (wide) {
      // v = s + Bᵀ (1 + BBᵀ)⁻¹ (t − Bs)
      const rest = Float64Array.from(sums, (row, i) => t[i] - dot(row, s));
      return plusCombination(s, sums, solve(factor, rest));
    }
    return solve(factor, plusCombination(s, sums, t));
  };
}

/** s + Bᵀ c */
function plusCombination(
  s: Float64Array,
  sums: readonly Float64Array[],
  c: Float64Array,
): Float64Array {
  const v = s.slice();
  sums.forEach((row, i) => {
    for (let j = 0; j < v.length; j++) v[j] += c[i] * row[j];
  });
  return v;
}

/** The solution of a regular system. */
function solve(factor: CholeskyFactor, b: Float64Array): Float64Array {
  const { order } = factor;
  const ordered = Float64Array.from(order, (row) => b[row]);
  const x = new Float64Array(b.length);
  solveUpper(factor, solveLower(factor, ordered)).forEach((value, k) => x[order[k]] = value);
  return x;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
