/**
 * The exact conditional test of association in several 2×2 tables.
 *
 * @module
 */

import { fisherExact } from "../exact/fisher.ts";
import { hypergeometric, type TwoByTwo } from "../exact/hypergeometric.ts";
import { TIE } from "../exact/unimodal.ts";

/** Probabilities of a whole number: `probabilities[k]` is that of `low + k`. */
export interface CountDistribution {
  readonly low: number;
  readonly probabilities: Float64Array;
}

/** Probabilities below this part of the greatest are left out: they would not be normal doubles when multiplied. */
const NEGLIGIBLE = 1e-300;
/** What is left out first, and the least probability of the observed sum for which that much is enough (relative error < 1e-11 a stratum). */
const COARSE = 1e-30;
const COARSE_DOWN_TO = 1e-16;

/**
 * The distribution of Σ a over strata, all margins of every stratum given and a common odds ratio of 1: the convolution of the strata's
 * hypergeometric distributions. Values whose probability is below `negligible` of the greatest are left out at both ends.
 *
 * @param tables one 2×2 table a stratum, whole counts; only their margins matter. None give the constant 0
 * @param negligible 1e-300..1
 */
export function conditionalNull(
  tables: readonly TwoByTwo[],
  negligible = NEGLIGIBLE,
): CountDistribution {
  let sum: CountDistribution = { low: 0, probabilities: new Float64Array([1]) };
  for (const table of tables) {
    sum = trimmed(convolved(sum, stratum(table, negligible)), negligible);
  }
  return sum;
}

/**
 * Exact conditional p of no association within any stratum against a common odds ratio other than 1: the probability, all margins of all
 * strata given, of sums of a that are no more probable than the one observed (R's `mantelhaen.test(exact = TRUE)`; ties within
 * {@linkcode TIE}). With one stratum it is Fisher's exact test.
 *
 * Relative error < 1e-9 down to 1e-290, and 0 below 1e-300. Direct convolution; what is too improbable to matter is left out.
 *
 * @param tables one 2×2 table a stratum, whole counts
 * @returns 0..1; 1 where every stratum has an empty margin, since there is only one sum then
 */
export function exactConditional(tables: readonly TwoByTwo[]): number {
  // A stratum with an empty margin says nothing: its a is given.
  const free = tables.filter(({ a, b, c, d }) => a + b > 0 && c + d > 0 && a + c > 0 && b + d > 0);
  if (free.length === 0) return 1;
  if (free.length === 1) return fisherExact(free[0]);
  const observed = free.reduce((sum, { a }) => sum + a, 0);
  const coarse = conditionalNull(free, COARSE);
  return at(coarse, observed) > COARSE_DOWN_TO
    ? noMoreProbable(coarse, observed)
    : noMoreProbable(conditionalNull(free), observed);
}

function at({ low, probabilities }: CountDistribution, value: number): number {
  return probabilities[value - low] ?? 0;
}

function noMoreProbable(distribution: CountDistribution, observed: number): number {
  const limit = at(distribution, observed) * (1 + TIE);
  let sum = 0;
  for (const probability of distribution.probabilities) {
    if (probability <= limit) sum += probability;
  }
  return Math.min(1, sum);
}

/** The hypergeometric distribution of one stratum, from its mode outwards by the ratios of neighbours. */
function stratum(table: TwoByTwo, negligible: number): CountDistribution {
  const { low, high, mode, log, ratio } = hypergeometric(table);
  const most = Math.exp(log(mode)), least = most * negligible;
  const below: number[] = [], above: number[] = [];
  for (let a = mode, p = most; a > low && (p /= ratio(a)) >= least; a--) below.push(p);
  for (let a = mode, p = most; a < high && (p *= ratio(a + 1)) >= least; a++) above.push(p);
  const probabilities = Float64Array.of(...below.reverse(), most, ...above);
  return { low: mode - below.length, probabilities };
}

/** The distribution of the sum of two independent counts. */
function convolved(one: CountDistribution, other: CountDistribution): CountDistribution {
  const [p, q] = one.probabilities.length < other.probabilities.length
    ? [one.probabilities, other.probabilities]
    : [other.probabilities, one.probabilities];
  const sum = new Float64Array(p.length + q.length - 1);
  for (let i = 0; i < p.length; i++) {
    const own = p[i];
    // Both fall to either side of their modes. Products that are not normal doubles are worth nothing and cost a hundred times as much.
    const least = 1e-305 / own;
    let from = 0, to = q.length;
    while (from < to && q[from] < least) from++;
    while (to > from && q[to - 1] < least) to--;
    for (let j = from; j < to; j++) sum[i + j] += own * q[j];
  }
  return { low: one.low + other.low, probabilities: sum };
}

function trimmed({ low, probabilities }: CountDistribution, negligible: number): CountDistribution {
  let most = 0;
  for (const probability of probabilities) if (probability > most) most = probability;
  const least = most * negligible;
  let from = 0, to = probabilities.length;
  while (probabilities[from] < least) from++;
  while (probabilities[to - 1] < least) to--;
  return { low: low + from, probabilities: probabilities.slice(from, to) };
}
