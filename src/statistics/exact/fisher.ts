/**
 * Fisher's exact test of a 2×2 table.
 *
 * @module
 */

import {
  type Hypergeometric,
  hypergeometric,
  lowerTail,
  type TwoByTwo,
  upperTail,
} from "./hypergeometric.ts";

/** Which tables count as at least as extreme. */
export type Alternative = "two-sided" | "greater" | "less";

/** Tables whose probabilities differ by less than this part are equally probable: logarithms are rounded. */
export const TIE = 1e-9;

/**
 * Fisher's exact p: the probability, margins given, of tables at least as extreme. `two-sided` sums all tables that are no more probable than
 * the one observed (as R and scipy do; ties within {@linkcode TIE}), `greater` those with at least as many in both, `less` those with at most as many.
 *
 * The distribution falls to both sides of its mode, so each tail begins at one place, which is searched by halving, and its terms follow from each other
 * by their ratios. Relative error < 1e-9 down to 1e-300.
 *
 * @returns 0..1; 1 where a margin is empty, since there is only one table then
 */
export function fisherExact(table: TwoByTwo, alternative: Alternative = "two-sided"): number {
  const { a } = table;
  const distribution = hypergeometric(table);
  const { low, high, mode, log } = distribution;
  if (low === high) return 1;
  if (alternative === "less") return atMost(distribution, a);
  if (alternative === "greater") return atLeast(distribution, a);
  const limit = log(a) + TIE;
  if (log(mode) <= limit) return 1;
  const below = a <= mode ? a : last(low - 1, mode, (x) => x < low || log(x) <= limit);
  const above = a >= mode ? a : -last(-high - 1, -mode, (x) => -x > high || log(-x) <= limit);
  return Math.min(1, lowerTail(distribution, below) + upperTail(distribution, above));
}

function atMost(distribution: Hypergeometric, a: number): number {
  return Math.min(
    1,
    a <= distribution.mode
      ? lowerTail(distribution, a)
      : 1 - upperTail(distribution, Math.max(a + 1, distribution.mode)),
  );
}

function atLeast(distribution: Hypergeometric, a: number): number {
  return Math.min(
    1,
    a >= distribution.mode
      ? upperTail(distribution, a)
      : 1 - lowerTail(distribution, Math.min(a - 1, distribution.mode)),
  );
}

/** The last of `from` … `to` for which `holds`, which holds for `from` and up to some place. */
function last(from: number, to: number, holds: (x: number) => boolean): number {
  let yes = from, no = to;
  while (no - yes > 1) {
    const middle = (yes + no) >> 1;
    if (holds(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}
