/**
 * Log odds of words (here: objects) between two groups with an informative Dirichlet prior.
 *
 * @module
 */

/** Of each word. */
export interface DirichletLogOdds {
  /** Log odds in the first group minus log odds in the second, nats; above 0 where the word is the first group's. */
  readonly delta: Float64Array;
  /** `delta` in its own standard errors. */
  readonly z: Float64Array;
}

/**
 * What tells two groups' counts apart, rare words drawn to their prior rates (Monroe, Colaresi & Quinn 2008, "Fightin' Words", Political Analysis 16,
 * 372–403, eqs. 15–22):
 *
 *     δ = ln ((y₁+α) / (n₁+α₀−y₁−α)) − ln ((y₂+α) / (n₂+α₀−y₂−α)),   z = δ / √var
 *     var δ = 1/(y₁+α) + 1/(n₁+α₀−y₁−α) + 1/(y₂+α) + 1/(n₂+α₀−y₂−α)
 *
 * Departs from the paper, which goes on without the second and fourth term: they matter for a word that makes up much of its group, whose z would be too large.
 *
 * Here y is a word's count in a group, n the group's total, α the word's prior count and α₀ their sum. NaN where a word has neither a count nor a prior
 * count in a group, or is all that the group has.
 *
 * @param first counts of each word in one group; may be weighted
 * @param second the same in the other
 * @param prior prior count of each word: its rate in a background times as many words as the prior is to weigh
 * @throws {RangeError} where the three differ in length
 */
export function dirichletLogOdds(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  prior: ArrayLike<number>,
): DirichletLogOdds {
  if (first.length !== second.length || first.length !== prior.length) {
    const lengths = `${first.length}, ${second.length} and ${prior.length}`;
    throw new RangeError(
      `Cannot compare counts of unequal lengths: ${lengths}; give one of each word`,
    );
  }
  const all = sum(prior), n1 = sum(first) + all, n2 = sum(second) + all;
  const delta = new Float64Array(first.length).fill(NaN), z = delta.slice();
  for (let word = 0; word < first.length; word++) {
    const y1 = first[word] + prior[word], y2 = second[word] + prior[word];
    if (y1 === 0 || y2 === 0 || y1 === n1 || y2 === n2) continue;
    delta[word] = Math.log(y1 / (n1 - y1)) - Math.log(y2 / (n2 - y2));
    z[word] = delta[word] / Math.sqrt(1 / y1 + 1 / (n1 - y1) + 1 / y2 + 1 / (n2 - y2));
  }
  return { delta, z };
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let at = 0; at < values.length; at++) total += values[at];
  return total;
}
