/**
 * Least squares for systems of any shape and rank.
 *
 * @module
 */

/** A pivot below this share of the first ends the rank. */
const RANK_TOLERANCE = 1e-11;

/**
 * The shortest x among those that minimise |Ax − b|, in float64.
 *
 * By a complete orthogonal factorisation: QR with column pivoting gives the rank r, a second QR of the transposed r × n factor the
 * shortest solution (Golub & Van Loan, "Matrix Computations", 4th ed., section 5.5.3; LAPACK's dgelsy). A singular value
 * decomposition would give the same some ten times slower.
 *
 * @param columns A, column by column: n arrays of m numbers; they are overwritten
 * @param b [m]; it is overwritten
 * @returns x, [n]
 */
export function leastSquares(columns: readonly Float64Array[], b: Float64Array): Float64Array {
  const n = columns.length;
  const { order, rank } = factorise(columns, [b], true);
  // R [r, n] in rows, as the columns of its transpose.
  const transposed = Array.from(
    { length: rank },
    (_, i) => Float64Array.from({ length: n }, (_, j) => j < i ? 0 : columns[order[j]!]![i]!),
  );
  const solved = new Float64Array(n);
  if (rank === n) {
    for (let i = rank - 1; i >= 0; i--) {
      let value = b[i]!;
      for (let j = i + 1; j < rank; j++) value -= transposed[i]![j]! * solved[j]!;
      solved[i] = value / transposed[i]![i]!;
    }
  } else {
    const reflections = factorise(transposed, [], false).reflections;
    // Rᵀ = Z T with T upper triangular: Tᵀ u = b, then Z u.
    for (let i = 0; i < rank; i++) {
      let value = b[i]!;
      for (let j = 0; j < i; j++) value -= transposed[i]![j]! * solved[j]!;
      solved[i] = value / transposed[i]![i]!;
    }
    for (let i = rank - 1; i >= 0; i--) reflect(reflections[i]!, i, solved);
  }
  const x = new Float64Array(n);
  order.forEach((column, j) => x[column] = solved[j]!);
  return x;
}

/** Householder vectors of unit length, element i of the i-th onwards, and the order in which columns were taken. */
interface Factors {
  readonly order: number[];
  readonly rank: number;
  readonly reflections: Float64Array[];
}

/** QR in place: the upper triangles of the columns become R; `others` are multiplied by Qᵀ. */
function factorise(
  columns: readonly Float64Array[],
  others: readonly Float64Array[],
  pivot: boolean,
): Factors {
  const n = columns.length;
  const m = columns[0]?.length ?? 0;
  const order = Array.from({ length: n }, (_, j) => j);
  const reflections: Float64Array[] = [];
  let first = 0;
  for (let i = 0; i < Math.min(m, n); i++) {
    if (pivot) {
      let best = i, longest = -1;
      for (let j = i; j < n; j++) {
        const length = squaredLength(columns[order[j]!]!, i);
        if (length > longest) [best, longest] = [j, length];
      }
      [order[i], order[best]] = [order[best]!, order[i]!];
    }
    const own = columns[order[i]!]!;
    const length = Math.sqrt(squaredLength(own, i));
    if (i === 0) first = length;
    if (pivot && !(length > RANK_TOLERANCE * first)) break;
    const v = own.slice();
    v[i]! += own[i]! < 0 ? -length : length;
    const norm = Math.sqrt(squaredLength(v, i));
    if (norm > 0) { for (let k = i; k < m; k++) v[k]! /= norm; }
    reflections.push(v);
    for (let j = i; j < n; j++) reflect(v, i, columns[order[j]!]!);
    for (const other of others) reflect(v, i, other);
  }
  return { order, rank: reflections.length, reflections };
}

/** x − 2 v (vᵀx), on the elements from `from`. */
function reflect(v: Float64Array, from: number, x: Float64Array): void {
  let sum = 0;
  for (let k = from; k < x.length; k++) sum += v[k]! * x[k]!;
  sum *= 2;
  for (let k = from; k < x.length; k++) x[k]! -= sum * v[k]!;
}

function squaredLength(x: Float64Array, from: number): number {
  let sum = 0;
  for (let k = from; k < x.length; k++) sum += x[k]! * x[k]!;
  return sum;
}
