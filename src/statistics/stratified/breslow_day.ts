/**
 * Whether the odds ratio is the same in all strata.
 *
 * @module
 */

import { chiSquareSurvival } from "../distributions.ts";
import type { TwoByTwo } from "../exact/hypergeometric.ts";
import { type ChiSquareTest, mantelHaenszel } from "./mantel_haenszel.ts";

/**
 * The test of Breslow and Day (1980, Statistical Methods in Cancer Research I, eq. 4.30) that all strata have one odds ratio, that of Mantel and
 * Haenszel: Σ (a − A)² / var a, where A has the margins of its stratum and the common odds ratio and 1 / var a is the sum of its four cells'
 * reciprocals. With `tarone` minus (Σ(a − A))² / Σ var a (Tarone 1985, Biometrika 72, 91–95), which makes it efficient.
 *
 * χ² with one degree of freedom less than there are strata, so p is NaN for one stratum; all is NaN where a stratum has an empty margin or
 * the common odds ratio is 0, infinite or undefined.
 */
export function breslowDay(tables: readonly TwoByTwo[], tarone = false): ChiSquareTest {
  const odds = mantelHaenszel(tables).value;
  const freedom = tables.length - 1;
  let statistic = 0, differences = 0, variances = 0;
  for (const { a, b, c, d } of tables) {
    const A = expected(a + b, a + c, a + b + c + d, odds);
    const variance = 1 / (1 / A + 1 / (a + b - A) + 1 / (a + c - A) + 1 / (d - a + A));
    statistic += (a - A) ** 2 / variance;
    differences += a - A;
    variances += variance;
  }
  if (tarone) statistic -= differences ** 2 / variances;
  return { statistic, freedom, p: chiSquareSurvival(statistic, freedom) };
}

/**
 * The a for which a·d = odds · b·c: the root of (1 − odds) a² + (n − row − column + odds (row + column)) a − odds · row · column that lies
 * within the margins, in the form that neither cancels nor divides by 0 at odds = 1.
 */
function expected(row: number, column: number, n: number, odds: number): number {
  const linear = n - row - column + odds * (row + column);
  const root = Math.sqrt(linear * linear + 4 * (1 - odds) * odds * row * column);
  return linear > 0
    ? 2 * odds * row * column / (linear + root)
    : (linear - root) / (2 * (odds - 1));
}
