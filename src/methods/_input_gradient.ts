/**
 * Gradients of the target's score at the network's input: what the methods on the input's own pixels are made from.
 *
 * The whole network is written as one backward graph, once for each table of rules. The runner-up of target `margin` is that
 * of the given input wherever the gradient is taken, so that the score stays one function of the input.
 *
 * Where a sample's score is not finite, or a point at which the gradient is taken is not, there is no gradient, and it is NaN
 * throughout. The backward graph would not say so: the masks of ReLUs are comparisons, which are false for a NaN, and let 0
 * through.
 *
 * @module
 */

import { floats, sizeOf, type Tensor } from "../base/tensor.ts";
import type {
  Classifier,
  ClassifierGraphs,
  Forward,
  ScoreTensor,
} from "../classifier/classifier.ts";
import { steadyRows } from "../classifier/batch_invariance.ts";
import { gradientGraph, type RuleTable } from "../onnx/backward.ts";
import type { Graph, Value } from "../onnx/graph.ts";
import { GRADIENT_RULES } from "../rules/gradient/mod.ts";
import { type Session, toFloats } from "../runtime/session.ts";
import {
  cotangentOf,
  type MethodContext,
  scoreFunction,
  scoreTensorOf,
  targetUnsupported,
  unsupportedBy,
} from "./method.ts";
import type { Target } from "../classifier/target.ts";
import type { Unsupported } from "../base/errors.ts";

/** Rules for the walk to the input, and their name in sessions. */
export interface InputRules {
  readonly name: string;
  readonly table: RuleTable;
}

/** The rules of the true gradient. */
const TRUE_GRADIENT: InputRules = { name: "gradient", table: GRADIENT_RULES };

/** Why a target cannot be differentiated down to the network's input; `undefined` when it can. */
export function inputGradientUnsupported(
  classifier: Classifier,
  target: Target,
): Unsupported | undefined {
  return targetUnsupported(classifier, target) ??
    unsupportedBy(
      classifier.gradientUnsupported(scoreTensorOf(target), classifier.graphs.input),
    );
}

/**
 * Gradients that a batch's methods share, for the classes that were asked for last: freed with the forward pass that they belong
 * to.
 */
const taken = new WeakMap<
  Forward,
  { readonly classes: string; readonly gradients: Map<string, Promise<Tensor>> }
>();

/**
 * The gradient at the inputs themselves, [batch, C, H, W], for one class per row; NaN in a row whose score is not finite, anything
 * in rows of padding. Methods that ask for the same classes one after the other share one for each target and table.
 */
export function inputGradient(
  context: MethodContext,
  classes: readonly number[],
  rules = TRUE_GRADIENT,
): Promise<Tensor> {
  const { forward, target } = context;
  const asked = classes.join();
  let own = taken.get(forward);
  if (own?.classes !== asked) taken.set(forward, own = { classes: asked, gradients: new Map() });
  const key = `${rules.name} ${target}`;
  let gradient = own.gradients.get(key);
  if (!gradient) own.gradients.set(key, gradient = takeGradient(context, classes, rules));
  return gradient;
}

async function takeGradient(
  context: MethodContext,
  classes: readonly number[],
  rules: InputRules,
): Promise<Tensor> {
  const { classifier, forward, target, input } = context;
  const { score, cotangent } = cotangentOf(forward, target, classes);
  const pass = gradientPass(rules);
  const session = await openPass(classifier, score, pass);
  const gradient = await runPass(session, pass, { [classifier.graphs.input]: input, cotangent });
  const size = sizeOf(input.shape.slice(1));
  scoresFinite(context, classes).forEach((finite, row) => {
    if (!finite) gradient.data.fill(NaN, row * size, (row + 1) * size);
  });
  return gradient;
}

/**
 * Of each sample of the batch, whether what the model makes of its class is finite: the target's score, and the logit and the
 * probability that it belongs with.
 */
function scoresFinite(
  { forward, target }: MethodContext,
  classes: readonly number[],
): boolean[] {
  const targets: Target[] = forward.logits ? [target, "logit", "probability"] : [target];
  const scoreAt = (row: number, each: Target) =>
    scoreFunction({ forward, target: each }, row, classes[row])(forward, row);
  return Array.from(
    { length: forward.count },
    (_, row) => targets.every((each) => Number.isFinite(scoreAt(row, each))),
  );
}

/** A backward graph of the whole network, by what it is fed of one sample and what it yields of it. */
export interface InputPass {
  /** What it is, for its session's name. */
  readonly name: string;
  /** Further inputs of the network's input's shape, after the input itself. */
  readonly further?: readonly string[];
  readonly output: string;
  write(graphs: ClassifierGraphs, score: Value): Graph;
}

function gradientPass({ name, table }: InputRules): InputPass {
  return {
    name,
    output: "gradient",
    write: ({ whole, input }, score) => gradientGraph(whole, { score, target: input, table }),
  };
}

/**
 * Runs a backward graph for several points of each sample: `place` writes what is fed for point `at` of a row (the input, then
 * the further inputs), `take` gets the result [C, H, W], a view that does not outlive the call: NaN where the row's score or what
 * was written is not finite. Batches are filled across rows; padding costs nothing.
 */
export async function runAtPoints(
  context: MethodContext,
  classes: readonly number[],
  pass: InputPass,
  points: number,
  place: (row: number, at: number, into: readonly Float32Array[]) => void,
  take: (row: number, at: number, result: Float32Array) => void,
): Promise<void> {
  const { classifier, forward, target, input } = context;
  const { score, cotangent } = cotangentOf(forward, target, classes);
  const session = await openPass(classifier, score, pass);
  const { batch } = classifier;
  const names = [classifier.graphs.input, ...pass.further ?? []];
  const count = cotangent.shape[1];
  const size = sizeOf(input.shape.slice(1));
  const total = forward.count * points;
  const finite = scoresFinite(context, classes);
  for (let from = 0; from < total; from += batch) {
    const arrays = names.map(() => new Float32Array(batch * size));
    const cotangents = new Float32Array(batch * count);
    const used = Math.min(batch, total - from);
    const defined: boolean[] = [];
    for (let i = 0; i < used; i++) {
      const row = Math.floor((from + i) / points);
      const into = arrays.map((array) => array.subarray(i * size, (i + 1) * size));
      place(row, (from + i) % points, into);
      defined.push(finite[row] && into.every(allFinite));
      cotangents.set(cotangent.data.subarray(row * count, (row + 1) * count), i * count);
    }
    const feeds = Object.fromEntries(
      names.map((name, k) => [name, floats(input.shape, arrays[k])]),
    );
    const { data } = await runPass(session, pass, {
      ...feeds,
      cotangent: floats(cotangent.shape, cotangents),
    });
    for (let i = 0; i < used; i++) {
      const row = Math.floor((from + i) / points);
      const result = data.subarray(i * size, (i + 1) * size);
      take(row, (from + i) % points, defined[i] ? result : result.fill(NaN));
    }
  }
}

function allFinite(values: Float32Array): boolean {
  for (const value of values) if (!Number.isFinite(value)) return false;
  return true;
}

/** {@linkcode runAtPoints} for the gradient. */
export function inputGradientsAt(
  context: MethodContext,
  classes: readonly number[],
  points: number,
  place: (row: number, at: number, into: Float32Array) => void,
  take: (row: number, at: number, gradient: Float32Array) => void,
): Promise<void> {
  const first = (row: number, at: number, [into]: readonly Float32Array[]) => place(row, at, into!);
  return runAtPoints(context, classes, gradientPass(TRUE_GRADIENT), points, first, take);
}

function openPass(
  { graphs, session }: Classifier,
  score: ScoreTensor,
  { name, write }: InputPass,
): Promise<Session> {
  return session(
    `${name} of ${score} at the input`,
    () => steadyRows(write(graphs, graphs[score]!)),
  );
}

async function runPass(
  session: Session,
  { output }: InputPass,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Tensor> {
  // A linear network's gradient reads no input.
  const read = Object.fromEntries(session.inputs.map((name) => [name, feeds[name]]));
  return await toFloats((await session.run(read))[output]);
}

/** Sums [batch, C, H, W] over channels, [batch, H, W]. */
export function sumOfChannels(values: Tensor): Tensor {
  return overChannels(values, (map, cell, value) => {
    map[cell] += value;
  });
}

/** The largest magnitude over the channels of [batch, C, H, W], [batch, H, W]; NaN where a channel is NaN. */
export function largestOfChannels(values: Tensor): Tensor {
  return overChannels(values, (map, cell, value) => {
    map[cell] = Math.max(map[cell], Math.abs(value));
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
      add(map, i % cells, data[row * channels * cells + i]);
    }
    maps.set(map, row * cells);
  }
  return floats([batch, height, width], maps);
}
