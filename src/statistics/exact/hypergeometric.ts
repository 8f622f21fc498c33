/**
 * The hypergeometric distribution: the count of both in a 2×2 table whose margins are given.
 *
 * @module
 */

import { logFactorials } from "./log_factorial.ts";
import type { Unimodal } from "./unimodal.ts";

/** Counts of a 2×2 table: both, the first alone, the second alone, neither. Whole numbers. */
export interface TwoByTwo {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** The distribution of a for the margins of a table. */
export function hypergeometric({ a, b, c, d }: TwoByTwo): Unimodal {
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
