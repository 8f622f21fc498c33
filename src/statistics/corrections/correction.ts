/**
 * Corrections for many tests.
 *
 * @module
 */

/** One correction. */
export interface Correction {
  /** Its name in options, kebab-case. */
  readonly name: string;
  /** As people write it. */
  readonly title: string;
  readonly source: string;
  /** What is at most alpha when all adjusted p up to alpha are taken. */
  readonly controls: "false discovery rate" | "family-wise error rate";
  /**
   * Adjusted p values, 0..1, in the order given. NaN stands for a test that could not be made: it stays NaN and does not count among the
   * tests. Fewer tests adjust less: none give an empty array.
   */
  adjust(p: ArrayLike<number>): Float64Array;
}

/** Adjusts by rank: what a p of a rank (1 is the smallest) among m is multiplied with, kept monotonic from one end. */
export function adjustByRank(
  p: ArrayLike<number>,
  factor: (rank: number, m: number) => number,
  monotonic: "from the largest" | "from the smallest",
): Float64Array {
  const adjusted = new Float64Array(p.length).fill(NaN);
  const order: number[] = [];
  for (let i = 0; i < p.length; i++) if (!Number.isNaN(p[i])) order.push(i);
  order.sort((i, j) => p[i] - p[j]);
  const m = order.length;
  if (monotonic === "from the largest") {
    let least = 1;
    for (let rank = m; rank >= 1; rank--) {
      least = Math.min(least, p[order[rank - 1]] * factor(rank, m));
      adjusted[order[rank - 1]] = least;
    }
  } else {
    let most = 0;
    for (let rank = 1; rank <= m; rank++) {
      most = Math.max(most, Math.min(1, p[order[rank - 1]] * factor(rank, m)));
      adjusted[order[rank - 1]] = most;
    }
  }
  return adjusted;
}
