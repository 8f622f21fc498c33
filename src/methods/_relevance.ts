/**
 * What the methods that hand a score back through the head as relevance share: their sessions, and the channels' shares.
 *
 * @module
 */

import { type Unsupported, UnsupportedOpError } from "../base/errors.ts";
import { floats, type Tensor } from "../base/tensor.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { steadyRows } from "../classifier/batch_invariance.ts";
import type { Graph } from "../onnx/graph.ts";
import { type SessionValue, toFloats } from "../runtime/session.ts";
import { cotangentOf, type MethodContext, targetUnsupported } from "./method.ts";
import type { Target } from "../classifier/target.ts";
import { defined } from "../base/defined.ts";

/** Writes a backward graph of a classifier's head for a target. */
export type WriteGraph = (classifier: Classifier, target: Target) => Graph;

/** Why a graph cannot be written, if it meets an operator or a variant of one that its rules do not cover. */
export function relevanceUnsupported(
  classifier: Classifier,
  target: Target,
  write: WriteGraph,
): Unsupported | undefined {
  const refused = targetUnsupported(classifier, target);
  if (refused !== undefined) return refused;
  try {
    write(classifier, target);
    return undefined;
  } catch (error) {
    if (!(error instanceof UnsupportedOpError)) throw error;
    return defined({ reason: error.reason, advice: error.advice });
  }
}

/**
 * Runs a backward graph of the head for one class per row, and returns its outputs.
 *
 * @param name what the graph is, besides the classifier and the target
 */
export async function runBackward(
  { classifier, forward, target }: MethodContext,
  classes: readonly number[],
  name: string,
  write: WriteGraph,
): Promise<Record<string, Tensor>> {
  const { score, cotangent } = cotangentOf(forward, target, classes);
  const session = await classifier.session(
    `${name} of ${score}`,
    () => steadyRows(write(classifier, target)),
  );
  const feeds: Record<string, SessionValue> = {
    [classifier.graphs.layer]: forward.activation,
    ...forward.bypass,
    cotangent,
  };
  const read = Object.fromEntries(session.inputs.map((input) => [input, feeds[input]]));
  const results = await session.run(read);
  const outputs: Record<string, Tensor> = {};
  for (const [key, value] of Object.entries(results)) outputs[key] = await toFloats(value);
  return outputs;
}

/** Each channel's sum over space, [batch, C, h, w] to [batch, C]: its share of the score. */
export function channelShares({ data, shape }: Tensor): Tensor {
  const [batch, channels, height, width] = shape as [number, number, number, number];
  const cells = height * width;
  const shares = new Float32Array(batch * channels);
  for (let i = 0; i < shares.length; i++) {
    let total = 0;
    for (let cell = i * cells; cell < (i + 1) * cells; cell++) total += data[cell];
    shares[i] = total;
  }
  return floats([batch, channels], shares);
}
