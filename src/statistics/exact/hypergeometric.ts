/**
 * The hypergeometric distribution: the count of both in a 2×2 table whose margins are given.
 *
 * @module
 */

import { logFactorials } from "./log_factorial.ts";

/** Counts of a 2×2 table: both, the first alone, the second alone, neither. Whole numbers. */
export interface TwoByTwo {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** The distribution of a table's a, its margins given. */
export interface Hypergeometric {
  /** Least and greatest a that the margins allow. */
  readonly low: number;
  readonly high: number;
  /** The most probable a. */
  readonly mode: number;
  /** Logarithm of the probability of a, within the support. */
  log(a: number): number;
  /** P(a) / P(a − 1). */
  ratio(a: number): number;
}

/** The distribution of a for the margins of a table. */
export function hypergeometric({ a, b, c, d }: TwoByTwo): Hypergeometric {
  const row = a + b, column = a + c, n = row + c + d;
  const log = logFactorials(n);
  const margins = log[row] + log[n - row] + log[column] + log[n - column] - log[n];
  const low = Math.max(0, row + column - n), high = Math.min(row, column);
  const mode = Math.floor((row + 1) * (column + 1) / (n + 2));
  return {
    low,
    high,
    mode: Math.min(high, Math.max(low, mode)),
    log: (own) =>
      margins - log[own] - log[row - own] - log[column - own] - log[n - row - column + own],
    ratio: (own) => (row - own + 1) * (column - own + 1) / (own * (n - row - column + own)),
  };
}

/** Terms below this part of a sum are left out. */
const NEGLIGIBLE = 2 ** -60;

/** P(a ≤ `from`), for `from` at or below the mode: the terms fall away from there. */
export function lowerTail(distribution: Hypergeometric, from: number): number {
  const { low, log, ratio } = distribution;
  if (from < low) return 0;
  let sum = 1, term = 1;
  for (let a = from; a > low && term > sum * NEGLIGIBLE; a--) sum += term /= ratio(a);
  return Math.exp(log(from)) * sum;
}

/** P(a ≥ `from`), for `from` at or above the mode. */
export function upperTail(distribution: Hypergeometric, from: number): number {
  const { high, log, ratio } = distribution;
  if (from > high) return 0;
  let sum = 1, term = 1;
  for (let a = from + 1; a <= high && term > sum * NEGLIGIBLE; a++) sum += term *= ratio(a);
  return Math.exp(log(from)) * sum;
}
