/**
 * How far methods agree: correlations of their box importances over a run.
 *
 * @module
 */

import { pearsonOfSums } from "../statistics/correlation.ts";

/**
 * Pearson correlations between methods over the importances of the same boxes, in one pass and constant memory. A box
 * counts for a pair of methods when both give it an importance.
 *
 * It says whether two methods rank boxes alike, not whether either is right: importances also share what has nothing to
 * do with the model, such as the sizes and places of boxes. Compare with the controls (`--methods …,control`).
 */
export class Agreement {
  readonly #methods: number;
  /** For each pair (i, j): n, Σx, Σy, Σx², Σy², Σxy. */
  readonly #sums: Float64Array;

  constructor(methods: number) {
    this.#methods = methods;
    this.#sums = new Float64Array(methods * methods * 6);
  }

  /** Adds one box: its importance under each method, NaN if there is none. */
  add(importances: readonly number[]): void {
    for (let i = 0; i < this.#methods; i++) {
      const x = importances[i];
      for (let j = 0; j < i; j++) {
        const y = importances[j];
        if (Number.isNaN(x) || Number.isNaN(y)) continue;
        const at = (i * this.#methods + j) * 6;
        this.#sums[at] += 1;
        this.#sums[at + 1] += x;
        this.#sums[at + 2] += y;
        this.#sums[at + 3] += x * x;
        this.#sums[at + 4] += y * y;
        this.#sums[at + 5] += x * y;
      }
    }
  }

  /** The correlation of two methods, −1..1; 1 for a method with itself, NaN with fewer than three boxes or no variance. */
  correlation(i: number, j: number): number {
    if (i === j) return 1;
    const at = (Math.max(i, j) * this.#methods + Math.min(i, j)) * 6;
    const [n, x, y, xx, yy, xy] = this.#sums.subarray(at, at + 6);
    return pearsonOfSums([n, x, y, xx, yy, xy]);
  }
}
