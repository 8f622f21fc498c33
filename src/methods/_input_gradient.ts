/**
 * Gradients of the target's score at the network's input: what the methods on the input's own pixels are made from.
 *
 * The whole network is written as one backward graph, once for each table of rules. The runner-up of target `margin` is that
 * of the given input wherever the gradient is taken, so that the score stays one function of the input.
 *
 * @module
 */

import { floats, sizeOf, type Tensor } from "../base/tensor.ts";
import type { Classifier, Forward } from "../classifier/classifier.ts";
import { steadyRows } from "../classifier/steady_rows.ts";
import { gradientGraph, type RuleTable } from "../onnx/backward.ts";
import { GRADIENT_RULES } from "../rules/gradient/mod.ts";
import { type Session, toFloats } from "../runtime/session.ts";
import {
  cotangentOf,
  type MethodContext,
  scoreTensorOf,
  type Target,
  targetUnsupported,
} from "./method.ts";

/** Rules for the walk to the input, and their name in sessions. */
export interface InputRules {
  readonly name: string;
  readonly table: RuleTable;
}

/** The rules of the true gradient. */
export const TRUE_GRADIENT: InputRules = { name: "gradient", table: GRADIENT_RULES };

/** Why a target cannot be differentiated down to the network's input; `undefined` when it can. */
export function inputGradientUnsupported(
  classifier: Classifier,
  target: Target,
): string | undefined {
  return targetUnsupported(classifier, target) ??
    classifier.gradientUnsupported(scoreTensorOf(target), classifier.graphs.input);
}

/** Gradients that a batch's methods share: freed with the forward pass that they belong to. */
const taken = new WeakMap<Forward, Map<string, Promise<Tensor>>>();

/**
 * The gradient at the inputs themselves, [batch, C, H, W], for one class per row; rows of padding hold anything. Computed once
 * for each batch, list of classes and table.
 */
export function inputGradient(
  context: MethodContext,
  classes: readonly number[],
  rules = TRUE_GRADIENT,
): Promise<Tensor> {
  const { classifier, forward, target, input } = context;
  let own = taken.get(forward);
  if (!own) taken.set(forward, own = new Map());
  const key = `${rules.name} ${target} ${classes.join()}`;
  let gradient = own.get(key);
  if (!gradient) {
    const { score, cotangent } = cotangentOf(forward, target, classes);
    gradient = openInputGradient(classifier, score, rules).then((session) =>
      run(session, classifier, input, cotangent)
    );
    own.set(key, gradient);
  }
  return gradient;
}

/**
 * Takes gradients at several inputs of each sample: `place` writes the input of sample `at` of a row, `take` gets its gradient
 * [C, H, W], a view that does not outlive the call. Batches are filled across rows; padding costs nothing.
 */
export async function inputGradientsAt(
  context: MethodContext,
  classes: readonly number[],
  samples: number,
  place: (row: number, at: number, into: Float32Array) => void,
  take: (row: number, at: number, gradient: Float32Array) => void,
): Promise<void> {
  const { classifier, forward, target, input } = context;
  const { score, cotangent } = cotangentOf(forward, target, classes);
  const session = await openInputGradient(classifier, score, TRUE_GRADIENT);
  const { batch } = classifier;
  const count = cotangent.shape[1]!;
  const size = sizeOf(input.shape.slice(1));
  const total = forward.count * samples;
  for (let from = 0; from < total; from += batch) {
    const inputs = new Float32Array(batch * size);
    const cotangents = new Float32Array(batch * count);
    const used = Math.min(batch, total - from);
    for (let i = 0; i < used; i++) {
      const row = Math.floor((from + i) / samples);
      place(row, (from + i) % samples, inputs.subarray(i * size, (i + 1) * size));
      cotangents.set(cotangent.data.subarray(row * count, (row + 1) * count), i * count);
    }
    const { data } = await run(
      session,
      classifier,
      floats(input.shape, inputs),
      floats(cotangent.shape, cotangents),
    );
    for (let i = 0; i < used; i++) {
      const row = Math.floor((from + i) / samples);
      take(row, (from + i) % samples, data.subarray(i * size, (i + 1) * size));
    }
  }
}

function openInputGradient(
  { graphs, session }: Classifier,
  score: "logits" | "probabilities",
  { name, table }: InputRules,
): Promise<Session> {
  return session(`${name} of ${score} at the input`, () =>
    steadyRows(gradientGraph(graphs.whole, {
      score: graphs[score]!,
      target: graphs.input,
      table,
    })));
}

async function run(
  session: Session,
  { graphs }: Classifier,
  input: Tensor,
  cotangent: Tensor,
): Promise<Tensor> {
  const feeds: Record<string, Tensor> = { [graphs.input]: input, cotangent };
  // A linear network's gradient reads no input.
  const read = Object.fromEntries(session.inputs.map((name) => [name, feeds[name]!]));
  return await toFloats((await session.run(read)).gradient!);
}

/** Sums [batch, C, H, W] over channels, [batch, H, W]. */
export function sumOfChannels(values: Tensor): Tensor {
  return overChannels(values, (map, cell, value) => {
    map[cell]! += value;
  });
}

/** The largest magnitude over the channels of [batch, C, H, W], [batch, H, W]; NaN where a channel is NaN. */
export function largestOfChannels(values: Tensor): Tensor {
  return overChannels(values, (map, cell, value) => {
    map[cell] = Math.max(map[cell]!, Math.abs(value));
  });
}

function overChannels(
  { data, shape }: Tensor,
  add: (map: Float64Array, cell: number, value: number) => void,
): Tensor {
  const [batch, channels, height, width] = shape as [number, number, number, number];
  const cells = height * width;
  const maps = new Float32Array(batch * cells);
  const map = new Float64Array(cells);
  for (let row = 0; row < batch; row++) {
    map.fill(0);
    for (let i = 0; i < channels * cells; i++) {
      add(map, i % cells, data[row * channels * cells + i]!);
    }
    maps.set(map, row * cells);
  }
  return floats([batch, height, width], maps);
}
