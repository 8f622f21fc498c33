/**
 * The Cholesky factor of a part of a symmetric matrix, whose rows and columns come and go.
 *
 * @module
 */

import { dot } from "./cholesky.ts";

/** A pivot below this share of the largest diagonal element: the row depends on those that are there. */
const TOLERANCE = 1e-11;

/** L Lᵀ = the rows and columns `members` of a matrix, in their order; each change takes O(n²). */
export class ActiveFactor {
  readonly #matrix: Float64Array;
  readonly #size: number;
  readonly #least: number;
  /** Row i at i · (size + 1); one column more than rows, which a removal needs. */
  readonly #lower: Float64Array;
  readonly members: number[] = [];

  /** @param matrix [size, size], symmetric and positive semi-definite */
  constructor(matrix: Float64Array, size: number) {
    this.#matrix = matrix;
    this.#size = size;
    let largest = 0;
    for (let i = 0; i < size; i++) largest = Math.max(largest, matrix[i * size + i]);
    this.#least = TOLERANCE * largest;
    this.#lower = new Float64Array(size * (size + 1));
  }

  /** Adds a row and column after the others. @returns false, and adds nothing, where it depends on them. */
  append(member: number): boolean {
    const lower = this.#lower, stride = this.#size + 1, n = this.members.length;
    const from = member * this.#size, own = n * stride;
    let left = this.#matrix[from + member];
    for (let i = 0; i < n; i++) {
      const row = i * stride;
      const value = (this.#matrix[from + this.members[i]] - dot(lower, row, own, i)) /
        lower[row + i];
      lower[own + i] = value;
      left -= value * value;
    }
    if (!(left > this.#least)) return false;
    lower[own + n] = Math.sqrt(left);
    this.members.push(member);
    return true;
  }

  /** Takes the row and column at a place out, by rotations (Golub and Van Loan, "Matrix Computations", 4th ed., section 6.5). */
  remove(place: number): void {
    const lower = this.#lower, stride = this.#size + 1;
    this.members.splice(place, 1);
    const n = this.members.length;
    lower.copyWithin(place * stride, (place + 1) * stride, (n + 1) * stride);
    for (let c = place; c < n; c++) {
      const a = lower[c * stride + c], b = lower[c * stride + c + 1];
      const r = Math.hypot(a, b);
      const cosine = a / r, sine = b / r;
      for (let at = c * stride + c; at < n * stride; at += stride) {
        const x = lower[at], y = lower[at + 1];
        lower[at] = cosine * x + sine * y;
        lower[at + 1] = cosine * y - sine * x;
      }
    }
  }

  /** The solution x of (L Lᵀ) x = b, both by member. */
  solve(b: Float64Array): Float64Array {
    const lower = this.#lower, stride = this.#size + 1, n = this.members.length;
    const x = b.slice(0, n);
    for (let i = 0; i < n; i++) {
      const row = i * stride;
      let value = x[i];
      for (let j = 0; j < i; j++) value -= lower[row + j] * x[j];
      x[i] = value / lower[row + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      const row = i * stride;
      const value = x[i] / lower[row + i];
      x[i] = value;
      for (let j = 0; j < i; j++) x[j] -= lower[row + j] * value;
    }
    return x;
  }
}
