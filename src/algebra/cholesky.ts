/**
 * Cholesky factors of symmetric, positive semi-definite matrices.
 *
 * @module
 */

/** A ≈ L Lᵀ, with rows taken in the order of their pivots; exact on the first `rank` of them. */
export interface CholeskyFactor {
  /** Rows of the matrix by pivot, [n]; those after `rank` depend on the ones before. */
  readonly order: Uint32Array;
  readonly rank: number;
  /** L, [n, n]: element j of row i of the matrix (not of the order) at i · n + j; j < rank. */
  readonly lower: Float64Array;
  readonly n: number;
}

/**
 * Factorises a matrix of any rank, in float64: pivoted Cholesky (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed.,
 * section 10.3).
 *
 * @param matrix [n, n], symmetric and positive semi-definite
 * @param tolerance the rank ends where the largest pivot left is below this share of the largest of all
 */
export function pivotedCholesky(
  matrix: Float64Array,
  n: number,
  tolerance = 1e-11,
): CholeskyFactor {
  const lower = new Float64Array(n * n);
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  const left = Float64Array.from({ length: n }, (_, i) => matrix[i * n + i]);
  const least = tolerance * left.reduce((most, value) => Math.max(most, value), 0);
  let rank = 0;
  for (; rank < n; rank++) {
    let best = rank;
    for (let k = rank + 1; k < n; k++) if (left[order[k]] > left[order[best]]) best = k;
    const pivot = order[best];
    if (!(left[pivot] > least)) break;
    order[best] = order[rank];
    order[rank] = pivot;
    const root = Math.sqrt(left[pivot]);
    const own = pivot * n;
    lower[own + rank] = root;
    for (let k = rank + 1; k < n; k++) {
      const row = order[k] * n;
      const value = (matrix[row + pivot] - dot(lower, row, own, rank)) / root;
      lower[row + rank] = value;
      left[order[k]] -= value * value;
    }
  }
  return { order, rank, lower, n };
}

/** Σ x[p + j] x[q + j] over j < length; four sums at a time, since an addition waits for the one before. */
export function dot(x: Float64Array, p: number, q: number, length: number): number {
  let a = 0, b = 0, c = 0, d = 0;
  let j = 0;
  for (; j + 3 < length; j += 4) {
    a += x[p + j] * x[q + j];
    b += x[p + j + 1] * x[q + j + 1];
    c += x[p + j + 2] * x[q + j + 2];
    d += x[p + j + 3] * x[q + j + 3];
  }
  for (; j < length; j++) a += x[p + j] * x[q + j];
  return (a + b) + (c + d);
}

/** L⁻¹ b on the rows of the rank: `b` and the result by pivot, [rank]. */
export function solveLower(
  { order, rank, lower, n }: CholeskyFactor,
  b: Float64Array,
): Float64Array {
  const x = new Float64Array(rank);
  for (let k = 0; k < rank; k++) {
    const row = order[k] * n;
    let value = b[k];
    for (let j = 0; j < k; j++) value -= lower[row + j] * x[j];
    x[k] = value / lower[row + k];
  }
  return x;
}

/** L⁻ᵀ b on the rows of the rank: `b` and the result by pivot, [rank]. */
export function solveUpper(
  { order, rank, lower, n }: CholeskyFactor,
  b: Float64Array,
): Float64Array {
  const x = b.slice(0, rank);
  for (let k = rank - 1; k >= 0; k--) {
    const row = order[k] * n;
    const value = x[k] / lower[row + k];
    x[k] = value;
    for (let j = 0; j < k; j++) x[j] -= lower[row + j] * value;
  }
  return x;
}
