/**
 * Methods that weigh channels by scores of perturbed samples: one sample after the other.
 *
 * @module
 */

import { floats, type Tensor } from "../base/tensor.ts";
import { type MethodContext, scoreFunction } from "./method.ts";
import type { Scores } from "../classifier/evaluate.ts";

/**
 * Channel weights [batch, C], computed for each sample of the batch; 0 for padding.
 *
 * @param weigh gives the C weights of one row and class
 */
export async function weighSamples(
  { classifier, forward }: MethodContext,
  classes: readonly number[],
  weigh: (row: number, k: number) => Promise<ArrayLike<number>>,
): Promise<{ weights: Tensor }> {
  const { channels } = classifier.layer;
  const weights = new Float32Array(classes.length * channels);
  for (let row = 0; row < forward.count; row++) {
    weights.set(await weigh(row, classes[row]), row * channels);
  }
  return { weights: floats([classes.length, channels], weights) };
}

/** The target's score of one class of a sample in each of M rows of scores (see `scoreFunction`). */
export function scoresOf(
  context: MethodContext,
  row: number,
  k: number,
  scores: Scores,
): Float64Array {
  const score = scoreFunction(context, row, k);
  const [count] = scores.probabilities.shape;
  return Float64Array.from({ length: count! }, (_, i) => score(scores, i));
}

/** The mean of a class's scores over samples, for each channel: row i · C + k is sample i of channel k. */
export function meanScores(
  context: MethodContext,
  row: number,
  k: number,
  scores: Scores,
): Float64Array {
  const { channels } = context.classifier.layer;
  const all = scoresOf(context, row, k, scores);
  const means = new Float64Array(channels);
  all.forEach((score, j) => means[j % channels] += score * channels / all.length);
  return means;
}

/** Softmax, in float64. */
export function softmax(values: Float64Array): Float64Array {
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const exps = values.map((value) => Math.exp(value - largest));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((value) => value / sum);
}
