/**
 * Fisher's exact test of a 2×2 table.
 *
 * @module
 */

import { hypergeometric, type TwoByTwo } from "./hypergeometric.ts";
import { type Alternative, exactP } from "./unimodal.ts";

/**
 * Fisher's exact p: the probability, margins given, of tables at least as extreme. `two-sided` sums all tables that are no more probable than
 * the one observed, `greater` those with at least as many in both, `less` those with at most as many. Relative error < 1e-9 down to 1e-300.
 *
 * @returns 0..1; 1 where a margin is empty, since there is only one table then
 */
export function fisherExact(table: TwoByTwo, alternative: Alternative = "two-sided"): number {
  return exactP(hypergeometric(table), table.a, alternative);
}
