/**
 * Exact p values of a count whose distribution rises to one mode and falls from there.
 *
 * @module
 */

/** Which counts are at least as extreme as the one observed. */
export type Alternative = "two-sided" | "greater" | "less";

/** Counts whose probabilities differ by less than this part are equally probable: logarithms are rounded. */
export const TIE = 1e-9;

/** The distribution of a whole number. */
export interface Unimodal {
  /** Least and greatest value. */
  readonly low: number;
  readonly high: number;
  /** The most probable value. */
  readonly mode: number;
  /** Logarithm of the probability of a value, within the support. */
  log(value: number): number;
  /** P(value) / P(value − 1). */
  ratio(value: number): number;
}

/**
 * The probability of values at least as extreme as the one observed. `two-sided` sums all that are no more probable than it (as R and scipy do;
 * ties within {@linkcode TIE}), `greater` those from it upwards, `less` those up to it.
 *
 * Each tail begins at one place, which is searched by halving, and its terms follow from each other by their ratios.
 *
 * @param observed within the support
 * @returns 0..1
 */
export function exactP(
  distribution: Unimodal,
  observed: number,
  alternative: Alternative = "two-sided",
): number {
  const { low, high, mode, log } = distribution;
  if (low === high) return 1;
  if (alternative === "less") return atMost(distribution, observed);
  if (alternative === "greater") return atLeast(distribution, observed);
  const limit = log(observed) + TIE;
  if (log(mode) <= limit) return 1;
  const below = observed <= mode
    ? observed
    : last(low - 1, mode, (x) => x < low || log(x) <= limit);
  const above = observed >= mode
    ? observed
    : -last(-high - 1, -mode, (x) => -x > high || log(-x) <= limit);
  return Math.min(1, lowerTail(distribution, below) + upperTail(distribution, above));
}

function atMost(distribution: Unimodal, observed: number): number {
  return Math.min(
    1,
    observed <= distribution.mode
      ? lowerTail(distribution, observed)
      : 1 - upperTail(distribution, Math.max(observed + 1, distribution.mode)),
  );
}

function atLeast(distribution: Unimodal, observed: number): number {
  return Math.min(
    1,
    observed >= distribution.mode
      ? upperTail(distribution, observed)
      : 1 - lowerTail(distribution, Math.min(observed - 1, distribution.mode)),
  );
}

/** Terms below this part of a sum are left out. */
const NEGLIGIBLE = 2 ** -60;

/** P(value ≤ `from`), for `from` at or below the mode: the terms fall away from there. */
function lowerTail({ low, log, ratio }: Unimodal, from: number): number {
  if (from < low) return 0;
  let sum = 1, term = 1;
  for (let at = from; at > low && term > sum * NEGLIGIBLE; at--) sum += term /= ratio(at);
  return Math.exp(log(from)) * sum;
}

/** P(value ≥ `from`), for `from` at or above the mode. */
function upperTail({ high, log, ratio }: Unimodal, from: number): number {
  if (from > high) return 0;
  let sum = 1, term = 1;
  for (let at = from + 1; at <= high && term > sum * NEGLIGIBLE; at++) sum += term *= ratio(at);
  return Math.exp(log(from)) * sum;
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
