/**
 * Two groups of numbers.
 *
 * @module
 */

/** The p of each alternative. */
export interface TwoSampleP {
  readonly twoSided: number;
  /** Of the first group's mean being the greater. */
  readonly greater: number;
  readonly less: number;
}

/** Mean of the first minus mean of the second, in their unit. NaN where a group is empty. */
export function meanDifference(first: ArrayLike<number>, second: ArrayLike<number>): number {
  return sum(first) / first.length - sum(second) / second.length;
}

/**
 * Rank-biserial correlation, −1..1: the share of pairs in which the first group's number is the greater minus the share in which it is the smaller
 * (Cliff's δ; Kerby 2014), 2 U / (n₁ n₂) − 1 of Mann and Whitney's U. Ties count for neither. NaN where a group is empty or a number is NaN.
 */
export function rankBiserial(first: ArrayLike<number>, second: ArrayLike<number>): number {
  const ours = Float64Array.from(first).sort(), others = Float64Array.from(second).sort();
  if (Number.isNaN(ours.at(-1) ?? NaN) || Number.isNaN(others.at(-1) ?? NaN)) return NaN;
  let below = 0, upTo = 0, surplus = 0;
  for (const value of ours) {
    while (below < others.length && others[below] < value) below++;
    while (upTo < others.length && others[upTo] <= value) upTo++;
    surplus += below - (others.length - upTo);
  }
  return surplus / (ours.length * others.length);
}

/** More splits than this take seconds. */
const MOST_SPLITS = 1e7;

/**
 * The permutation test of a difference of means over all splits of the numbers into two groups of these sizes: the share of splits with a difference at
 * least as large (`greater`) or as small (`less`). `twoSided` is twice the smaller of the two, at most 1, as scipy's `permutation_test` has it: not the
 * share of splits with as large a distance from 0.
 *
 * Differences count as equal within 1e-12 of the sum of all sizes. NaN where a group is empty or a number is NaN.
 *
 * @throws {RangeError} where there are more than ten million splits
 */
export function exactTwoSample(first: ArrayLike<number>, second: ArrayLike<number>): TwoSampleP {
  const all = [...Array.from(first), ...Array.from(second)];
  const size = first.length;
  if (size === 0 || second.length === 0 || all.some(Number.isNaN)) {
    return { twoSided: NaN, greater: NaN, less: NaN };
  }
  let splits = 1;
  for (let k = 1; k <= size; k++) splits = Math.round(splits * (second.length + k) / k);
  if (splits > MOST_SPLITS) {
    throw new RangeError(
      `Cannot try all splits of ${all.length} numbers: there are ${splits}; draw random ones`,
    );
  }
  // The total is the same for every split, so the first group's sum orders them as the difference does.
  const slack = 1e-12 * all.reduce((sum, value) => sum + Math.abs(value), 0);
  const observed = sum(first);
  let above = 0, below = 0;
  const visit = (from: number, left: number, total: number): void => {
    if (left === 0) {
      if (total >= observed - slack) above++;
      if (total <= observed + slack) below++;
      return;
    }
    for (let at = from; at <= all.length - left; at++) visit(at + 1, left - 1, total + all[at]);
  };
  visit(0, size, 0);
  const greater = above / splits, less = below / splits;
  return { twoSided: Math.min(1, 2 * Math.min(greater, less)), greater, less };
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let at = 0; at < values.length; at++) total += values[at];
  return total;
}
