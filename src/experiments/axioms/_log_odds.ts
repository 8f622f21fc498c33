/**
 * A target's score in the form in which differences tell most.
 *
 * @module
 */

import type { Classifier, Forward } from "../../classifier/classifier.ts";
import type { Scores } from "../../classifier/evaluate.ts";
import type { Target } from "../../classifier/target.ts";
import { scoreFunction } from "../../methods/mod.ts";
import { producers } from "../../onnx/graph.ts";

/** A function whose slope, times `rate`, is the score's. */
export interface Differentiable {
  value(scores: Scores, at: number): number;
  /** How fast the score changes with the value, at the sample. */
  readonly rate: number;
  /** How much of itself `rate` changes when the value changes by 1. */
  readonly bend: number;
}

/**
 * The target's score of one class; a probability p that is the Softmax or Sigmoid of the logits as its log-odds L = log p/(1 − p), since
 * p′ = p (1 − p) L′: in float32, a p that is all but 1 has no digits left that could tell how it changes, and an exponential needs short
 * steps where L, of a network of ReLUs, is all but linear.
 *
 * @param row the sample's place in the forward pass
 */
export function differentiable(
  { classifier, forward, target }: {
    readonly classifier: Classifier;
    readonly forward: Forward;
    readonly target: Target;
  },
  row: number,
  k: number,
): Differentiable {
  const { head, logits, probabilities } = classifier.graphs;
  const last = producers(head).get(probabilities);
  const oddsOf = last && LOG_ODDS[last.op];
  if (target !== "probability" || !oddsOf || last.domain !== "" || last.inputs[0] !== logits) {
    return { value: scoreFunction({ forward, target }, row, k), rate: 1, bend: 0 };
  }
  const value = ({ logits }: Scores, at: number): number => {
    const count = logits!.shape[1];
    return oddsOf(logits!.data.subarray(at * count, (at + 1) * count), k);
  };
  // p (1 − p), from the smaller of the odds for and against.
  const odds = Math.exp(-Math.abs(value(forward, row)));
  return { value, rate: odds / (1 + odds) ** 2, bend: (1 - odds) / (1 + odds) };
}

/** log p / (1 − p) of class k, by what makes probabilities of logits. */
const LOG_ODDS: Readonly<Record<string, (logits: Float32Array, k: number) => number>> = {
  Softmax(logits, k) {
    const others = logits.filter((_, j) => j !== k);
    const top = others.reduce((most, z) => Math.max(most, z), -Infinity);
    return logits[k] - top - Math.log(others.reduce((sum, z) => sum + Math.exp(z - top), 0));
  },
  Sigmoid: (logits, k) => logits[k],
};
