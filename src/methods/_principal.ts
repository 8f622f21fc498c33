/**
 * First principal components of small maps: the largest eigenpair of a symmetric matrix that is only known by its products.
 *
 * A full decomposition of 169 × 169 cells would take longer than the classifier's forward pass; one eigenvector takes some ten
 * products.
 *
 * @module
 */

import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { createRng } from "../base/rng.ts";

/** An eigenvalue and its eigenvector of length 1. */
interface Eigenpair {
  readonly value: number;
  readonly vector: Float64Array;
}

/** Residual at which an eigenpair is taken, relative to the eigenvalue of largest magnitude. */
const TOLERANCE = 1e-8;
/** Steps between looks at the residual. */
const STRIDE = 6;

/**
 * The eigenpair of the largest (not largest in magnitude) eigenvalue of a symmetric matrix of `size` rows.
 *
 * Lanczos' method with full reorthogonalisation (Golub and Van Loan, "Matrix Computations", 4th ed., section 10.1-10.3), started
 * from a fixed pseudo-random vector, so that equal input gives equal output. Ends when the residual is below 1e-8 of the spectrum,
 * or after `size` steps, when it is exact. The eigenvector's sign is arbitrary: see {@linkcode orient}. A matrix with a NaN or an
 * infinity gives NaN.
 *
 * @param multiply writes the matrix's product with `x` into `y`
 */
export function largestEigenpair(
  size: number,
  multiply: (x: Float64Array, y: Float64Array) => void,
): Eigenpair {
  const rng = createRng(0).split("lanczos");
  let q = Float64Array.from({ length: size }, () => rng.normal());
  scale(q, 1 / norm(q));
  const basis: Float64Array[] = [];
  const diagonal: number[] = [], beside: number[] = [];
  for (;;) {
    basis.push(q);
    const next = new Float64Array(size);
    multiply(q, next);
    diagonal.push(dot(q, next));
    // Twice, because once loses orthogonality to rounding.
    for (let pass = 0; pass < 2; pass++) {
      for (const other of basis) addScaled(next, -dot(other, next), other);
    }
    const length = norm(next);
    if (!Number.isFinite(length) || !Number.isFinite(diagonal[diagonal.length - 1])) {
      return { value: NaN, vector: new Float64Array(size).fill(NaN) };
    }
    const steps = basis.length;
    const spent = steps === size || length <= Number.EPSILON * extent(diagonal, beside);
    if (spent || steps % STRIDE === 0) {
      const { value, coordinates } = largestOfTridiagonal(diagonal, beside);
      const residual = length * Math.abs(coordinates[steps - 1]);
      if (spent || residual <= TOLERANCE * extent(diagonal, beside)) {
        const vector = new Float64Array(size);
        coordinates.forEach((coordinate, i) => addScaled(vector, coordinate, basis[i]));
        scale(vector, 1 / norm(vector));
        return { value, vector };
      }
    }
    beside.push(length);
    scale(next, 1 / length);
    q = next;
  }
}

/** The largest eigenvalue of a symmetric tridiagonal matrix and its eigenvector. */
function largestOfTridiagonal(
  diagonal: readonly number[],
  beside: readonly number[],
): { value: number; coordinates: number[] } {
  const matrix = Matrix.diag([...diagonal]);
  beside.slice(0, diagonal.length - 1).forEach((value, i) => {
    matrix.set(i, i + 1, value);
    matrix.set(i + 1, i, value);
  });
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, {
    assumeSymmetric: true,
  });
  let best = 0;
  realEigenvalues.forEach((value, i) => {
    if (value > realEigenvalues[best]) best = i;
  });
  return { value: realEigenvalues[best], coordinates: eigenvectorMatrix.getColumn(best) };
}

/** A bound on the magnitude of a tridiagonal matrix's eigenvalues (Gershgorin). */
function extent(diagonal: readonly number[], beside: readonly number[]): number {
  let largest = 0;
  diagonal.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value) + (beside[i - 1] ?? 0) + (beside[i] ?? 0));
  });
  return largest;
}

/**
 * Takes from every channel its mean over the cells.
 *
 * @param values channels of `cells` numbers each, one after another
 */
export function centreChannels(values: Float64Array, cells: number): void {
  for (let from = 0; from < values.length; from += cells) {
    let sum = 0;
    for (let i = from; i < from + cells; i++) sum += values[i];
    const mean = sum / cells;
    for (let i = from; i < from + cells; i++) values[i] -= mean;
  }
}

/**
 * The projection X v₁ of each cell on the first right singular vector of X [cells, channels], centred by channel (column): the
 * scores of the first principal component. Signed by {@linkcode orient} with the mean of the channels. 0 where X's columns are constant:
 * where σ₁ is at most what rounding of the means leaves of X.
 *
 * @param values X, channel by channel; is centred in place
 */
export function principalProjection(values: Float64Array, cells: number): Float64Array {
  const channels = values.length / cells;
  const mean = new Float64Array(cells);
  for (let k = 0; k < channels; k++) {
    for (let i = 0; i < cells; i++) mean[i] += values[k * cells + i] / channels;
  }
  // A sum of n equal numbers is off by up to n ε / 2 of it, and what is left of a constant X by as much of X.
  const rounding = (cells * Number.EPSILON) ** 2 * dot(values, values);
  centreChannels(values, cells);
  // Four channels at a time: x and y are read less often, and the sums do not wait for each other. Channels of 0 add nothing.
  const padded = new Float64Array(Math.ceil(channels / 4) * 4 * cells);
  padded.set(values);
  // X v₁ = σ₁ u₁, and u₁ is the first eigenvector of X Xᵀ, with eigenvalue σ₁².
  const { value, vector } = largestEigenpair(cells, (x, y) => {
    for (let a = 0; a < padded.length; a += 4 * cells) {
      const b = a + cells, c = b + cells, d = c + cells;
      let p = 0, q = 0, r = 0, s = 0;
      for (let i = 0; i < cells; i++) {
        const cell = x[i];
        p += padded[a + i] * cell;
        q += padded[b + i] * cell;
        r += padded[c + i] * cell;
        s += padded[d + i] * cell;
      }
      for (let i = 0; i < cells; i++) {
        y[i] += p * padded[a + i] + q * padded[b + i] + r * padded[c + i] + s * padded[d + i];
      }
    }
  });
  if (value <= rounding) return new Float64Array(cells);
  scale(vector, Math.sqrt(value));
  return orient(vector, mean);
}

/**
 * Turns a vector of arbitrary sign (in place) so that its inner product with a reference is positive; where that is 0, so that the
 * entry of largest magnitude is.
 */
export function orient(vector: Float64Array, reference?: Float64Array): Float64Array {
  let towards = 0;
  if (reference) {
    towards = dot(vector, reference);
    if (Math.abs(towards) <= 1e-12 * norm(vector) * norm(reference)) towards = 0;
  }
  if (towards === 0) {
    for (const entry of vector) if (Math.abs(entry) > Math.abs(towards)) towards = entry;
  }
  if (towards < 0) scale(vector, -1);
  return vector;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}

function scale(a: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i] *= factor;
}

function addScaled(to: Float64Array, factor: number, a: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i] += factor * a[i];
}
