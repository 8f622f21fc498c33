/**
 * Which samples a report shows.
 *
 * @module
 */

import { compareCodePoints } from "../../base/code_points.ts";

/** What the choice needs of a sample. */
export interface Candidate {
  /** Unique and stable, such as path and face number. */
  readonly id: string;
  readonly predicted: string;
  readonly probability: number;
}

/** The rule of {@linkcode chooseSamples} in words, for `SampleSection.rule`. */
export const SAMPLE_RULE =
  "Samples are taken in turn from each predicted class (classes by name), each time the one with the highest probability; " +
  "ties go by the sample's name. They show what confident predictions look like, not typical ones.";

/**
 * Chooses up to `limit` samples by {@linkcode SAMPLE_RULE}; gives their indices in the order of the choice. The order of the candidates has no
 * influence, so shards and reruns show the same samples. A NaN probability counts as lowest.
 */
export function chooseSamples(candidates: readonly Candidate[], limit = 24): number[] {
  const queues = new Map<string, number[]>();
  candidates.forEach(({ predicted }, i) => {
    const queue = queues.get(predicted);
    if (queue) queue.push(i);
    else queues.set(predicted, [i]);
  });
  const strength = (i: number) =>
    Number.isNaN(candidates[i].probability) ? -1 : candidates[i].probability;
  for (const queue of queues.values()) {
    queue.sort((a, b) =>
      strength(b) - strength(a) || compareCodePoints(candidates[a].id, candidates[b].id)
    );
  }
  const inTurn = [...queues.keys()].sort(compareCodePoints).map((name) => queues.get(name)!);
  const chosen: number[] = [];
  for (let round = 0; chosen.length < Math.min(limit, candidates.length); round++) {
    for (const queue of inTurn) {
      if (round < queue.length && chosen.length < limit) chosen.push(queue[round]);
    }
  }
  return chosen;
}
