/**
 * The cut classifier: an ONNX model that yields, in one pass, its scores and the activation at its target layer, and on
 * demand the gradient of a score there.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import { type Json, sha256 } from "../base/json.ts";
import type { Tensor } from "../base/tensor.ts";
import type { Placement } from "../image/geometry.ts";
import { gradientGraph, unsupportedOps } from "../onnx/backward.ts";
import { cut, extract } from "../onnx/extract.ts";
import { copyGraph, type Graph, ints, type Value } from "../onnx/graph.ts";
import { linearHead } from "../onnx/linear_head.ts";
import { readModel, writeModel } from "../onnx/model_file.ts";
import { type ReceptiveField, receptiveFields } from "../onnx/receptive_field.ts";
import { withScores } from "../onnx/scores.ts";
import { builderOn } from "../onnx/shapes.ts";
import { GRADIENT_RULES } from "../rules/gradient/mod.ts";
import type { ClassifierCard } from "../runtime/card.ts";
import {
  type Backend,
  backendVersion,
  openSession,
  type Session,
  type SessionOptions,
  type SessionValue,
  toFloats,
} from "../runtime/session.ts";
import { evaluateRows, headBatch, padRows, type Scores } from "./evaluate.ts";
import { findLayer, fixInput, place, type PlacementRule } from "./layout.ts";
import type { ClassifierSource } from "./source.ts";
import { release, rowOf } from "./values.ts";
import { openSteady, steadyRows } from "./steady_rows.ts";

export type { PlacementRule } from "./layout.ts";
export type { Scores } from "./evaluate.ts";
export { readFloats, release, rowOf } from "./values.ts";

/** The tensor that a score is read from. */
export type ScoreTensor = "logits" | "probabilities";

/** What the caller may decide about a classifier. */
export interface ClassifierOptions {
  backend: Backend;
  /** Samples in a batch; every batch is padded to it. A model with a fixed batch size overrules it. */
  batch: number;
  /** Target layer, instead of the card's. */
  layer?: string | undefined;
  /** Placement, instead of the card's. */
  placement?: PlacementRule | undefined;
}

/** One forward pass over a batch. Rows from `count` on are padding. */
export interface Forward {
  readonly count: number;
  /** The inputs [batch, C, H, W]; absent where the pass was taken up from stored activations. */
  readonly input?: Tensor;
  /** Activation at the target layer [batch, C, h, w]; on the GPU with backend webgpu. */
  readonly activation: SessionValue;
  /** What else crosses the cut, by name (empty for most models). */
  readonly bypass: Readonly<Record<string, SessionValue>>;
  /** [batch, classes]; absent when the model has no tensor of logits. */
  readonly logits?: Tensor;
  /** [batch, classes], 0..1. */
  readonly probabilities: Tensor;
  dispose(): void;
}

/** Gradient of a score at the target layer. */
export interface Gradient {
  /** d score / d A, [batch, C, h, w]. */
  readonly gradient: SessionValue;
  /** Its mean over space, [batch, C]. */
  readonly mean: SessionValue;
}

/** The graphs behind a classifier, for methods that rewrite them. Graphs are shared: copy before a change. */
export interface ClassifierGraphs {
  /** From the input to the scores, simplified. */
  readonly whole: Graph;
  /** From the target layer (and the bypass tensors) to the scores. */
  readonly head: Graph;
  readonly input: Value;
  readonly layer: Value;
  /** What else crosses the cut. */
  readonly bypass: readonly Value[];
  readonly logits?: Value;
  readonly probabilities: Value;
}

/** A classifier that is loaded, cut and ready. */
export interface Classifier {
  readonly graphs: ClassifierGraphs;
  /** Rows in a batch of the head: fixed, so that a row's scores do not depend on the others. */
  readonly headBatch: number;
  readonly card: ClassifierCard;
  /** The card's mean image [C, H, W], if it names one. */
  readonly meanImage?: Float32Array;
  readonly backend: Backend;
  readonly batch: number;
  readonly classes: readonly string[];
  /** Shape of one input, [C, H, W]. */
  readonly inputShape: readonly [number, number, number];
  readonly layer: {
    readonly name: Value;
    readonly channels: number;
    readonly height: number;
    readonly width: number;
    readonly field?: ReceptiveField;
  };
  readonly placementRule: PlacementRule;
  readonly placement: Placement;
  /** Remarks that a user should see once (an assumed card, a placement that could not be had …). */
  readonly notices: readonly string[];
  /** Whether the model has a tensor of logits. */
  readonly hasLogits: boolean;
  /** Everything that determines predictions and activations. */
  readonly key: Readonly<Record<string, Json>>;
  /** Runs 1 … `batch` inputs [n, C, H, W], padded with zeros to a full batch. */
  forward(input: Tensor): Promise<Forward>;
  /** Takes a forward pass up again from stored activations (models without bypass tensors only). */
  resume(activation: Tensor, logits: Tensor | undefined, probabilities: Tensor): Forward;
  /** Whether `resume` can be used. */
  readonly resumable: boolean;
  /** Gradient of Σ cotangent · score at the target layer; `cotangent` is [batch, classes]. */
  gradient(forward: Forward, score: ScoreTensor, cotangent: Tensor): Promise<Gradient>;
  /**
   * Operators between the target layer (or another tensor) and a score that have no gradient rule, as one reason; `undefined`
   * when the score can be differentiated.
   */
  gradientUnsupported(score: ScoreTensor, from?: Value): string | undefined;
  /** Scores of inputs [M, C, H, W], any M. */
  evaluate(inputs: Tensor): Promise<Scores>;
  /**
   * Scores of activations [M, C, h, w] at the target layer, any M, through the head alone; bypass tensors are those of one
   * row of a forward pass.
   */
  evaluateHead(activations: Tensor, forward: Forward, row: number): Promise<Scores>;
  /**
   * A session of a graph that a method has made, on this classifier's backend. Made once for each name; `onDevice` names
   * outputs that stay on the GPU.
   */
  session(name: string, make: () => Graph, onDevice?: readonly string[]): Promise<Session>;
  /** Weights [classes, C] of a pooling + linear head, or why there is none. */
  linearHead(): { weights: Tensor } | { reason: string };
  /**
   * The same classifier with other weights or nodes: cut at the same layer, with the same card. Made once for each name, and
   * disposed of with this one.
   *
   * @param change gets a copy of the model's graph whose maps and arrays are its own, the tensors shared.
   */
  derive(name: string, change: (graph: Graph) => Graph): Promise<Classifier>;
  dispose(): Promise<void>;
}

/**
 * Loads a classifier and cuts it at its target layer.
 *
 * @throws {ModelError} when the model does not fit its card, has no usable target layer, or the backend refuses it.
 * @throws {UsageError} when the layer asked for is not in the model.
 */
export function openClassifier(
  source: ClassifierSource,
  options: ClassifierOptions,
): Promise<Classifier> {
  return openGraph(readModel(source.bytes), source, options);
}

async function openGraph(
  source: Graph,
  described: ClassifierSource,
  options: ClassifierOptions,
): Promise<Classifier> {
  const { card, bytes, meanImage } = described;
  const { backend } = options;
  const modelHash = sha256(bytes);
  const notices = [...described.notices];
  const { batch, inputShape } = fixInput(source, card, options.batch, notices);
  const { name, kind, logits: logitsName } = card.output;
  const scored = withScores(source, {
    ...(name ? { output: name } : {}),
    ...(kind ? { kind } : {}),
    ...(logitsName ? { logits: logitsName } : {}),
  });
  const { graph, logits, probabilities } = scored;
  if (card.classes.length !== scored.classes) {
    throw new ModelError(
      `Cannot use model ${card.name}: its output has ${scored.classes} classes, its card names ${card.classes.length}`,
    );
  }
  const found = findLayer(graph, logits ?? probabilities, options.layer ?? card.targetLayer);
  const { head, bypass } = cut(graph, found.name);
  const field = receptiveFields(graph, graph.inputs[0]!.name).get(found.name);
  const layer = { ...found, ...(field ? { field } : {}) };
  const placementRule = options.placement ?? card.placement;
  const placement = place(placementRule, layer, inputShape, notices);
  const outputs = [layer.name, ...bypass, ...logits ? [logits] : [], probabilities];
  const passage = extract(graph, { inputs: [graph.inputs[0]!.name], outputs }, card.name);
  const onDevice = [layer.name, ...bypass];
  const session = await openSteady(passage, backend, { onDevice });
  const sessions = new Map<string, Promise<Session>>();
  const derived = new Map<string, Promise<Classifier>>();
  const sessionOf = (
    name: string,
    make: () => Graph,
    onDevice: readonly string[] = [],
    open: typeof openSteady = openAsIs,
  ) => {
    let opening = sessions.get(name);
    if (!opening) {
      // A failed attempt is not kept: the next one gives the same error, not a stale session.
      opening = Promise.resolve().then(() => open(make(), backend, { onDevice }));
      sessions.set(name, opening);
    }
    return opening;
  };
  const input = graph.inputs[0]!.name;
  const scoreOf = (score: ScoreTensor): Value => {
    const value = score === "logits" ? logits : probabilities;
    if (value) return value;
    throw new ModelError(`Cannot differentiate the logits of ${card.name}: it has none`);
  };
  const scoreNames = { probabilities, ...(logits ? { logits } : {}) };
  const scoreOutputs = [...logits ? [logits] : [], probabilities];
  const fixed = typeof graph.inputs[0]!.shape?.[0] === "number";
  const activationSize = layer.channels * layer.height * layer.width;
  const rowsOfHead = fixed ? batch : headBatch(activationSize, batch);

  return {
    graphs: {
      whole: graph,
      head,
      input,
      layer: layer.name,
      bypass,
      ...(logits ? { logits } : {}),
      probabilities,
    },
    headBatch: rowsOfHead,
    card,
    ...(meanImage ? { meanImage } : {}),
    backend,
    batch,
    classes: card.classes,
    inputShape,
    layer,
    placementRule,
    placement,
    notices,
    hasLogits: logits !== undefined,
    resumable: bypass.length === 0,
    key: {
      model: modelHash,
      input: JSON.parse(JSON.stringify(card.input)),
      ...(meanImage ? { meanImage: sha256(new Uint8Array(meanImage.buffer)) } : {}),
      layer: layer.name,
      backend,
      runtime: await backendVersion(backend),
      batch,
    },
    async forward(values) {
      const count = values.shape[0]!;
      const padded = padRows(values, batch);
      const results = await session.run({ [input]: padded });
      const kept = Object.fromEntries(bypass.map((name) => [name, results[name]!]));
      const activation = results[layer.name]!;
      return {
        count,
        input: padded,
        activation,
        bypass: kept,
        ...(logits ? { logits: await toFloats(results[logits]!) } : {}),
        probabilities: await toFloats(results[probabilities]!),
        dispose: () => [activation, ...Object.values(kept)].forEach(release),
      };
    },
    resume(activation, storedLogits, storedProbabilities) {
      return {
        count: activation.shape[0]!,
        activation: padRows(activation, batch),
        bypass: {},
        ...(storedLogits ? { logits: padRows(storedLogits, batch) } : {}),
        probabilities: padRows(storedProbabilities, batch),
        dispose: () => {},
      };
    },
    async gradient(forward, score, cotangent) {
      const backward = await sessionOf(
        `gradient of ${score}`,
        () =>
          withMean(gradientGraph(head, {
            score: scoreOf(score),
            target: layer.name,
            table: GRADIENT_RULES,
          })),
        ["gradient", "gradient_mean"],
        openSteady,
      );
      const feeds: Record<string, SessionValue> = {
        [layer.name]: forward.activation,
        ...forward.bypass,
        cotangent,
      };
      // The backward graph keeps only the inputs that it reads: a linear head's gradient needs no activation.
      const read = Object.fromEntries(backward.inputs.map((name) => [name, feeds[name]!]));
      const { gradient, gradient_mean } = await backward.run(read);
      return { gradient: gradient!, mean: gradient_mean! };
    },
    gradientUnsupported(score, from = layer.name) {
      const value = score === "logits" ? logits : probabilities;
      if (!value) return "the model has no tensor of logits";
      const missing = unsupportedOps(graph, from, value, GRADIENT_RULES);
      if (missing.length === 0) return undefined;
      const ops = [...new Set(missing.map(({ op }) => op))].join(", ");
      return `no gradient rule for ${ops} (node ${missing[0]!.node})`;
    },
    async evaluate(inputs) {
      const whole = await sessionOf(
        "scores",
        // The steady forms of operators such as LRN are also the faster ones.
        () => steadyRows(extract(graph, { inputs: [input], outputs: scoreOutputs }, card.name)),
      );
      return await evaluateRows(whole, { input, ...scoreNames }, inputs, batch);
    },
    async evaluateHead(activations, forward, row) {
      const open = await sessionOf("head", () => head);
      const others: Record<string, Tensor> = {};
      for (const [name, value] of Object.entries(forward.bypass)) {
        others[name] = await rowOf(value, row);
      }
      return await evaluateRows(
        open,
        { input: layer.name, ...scoreNames },
        activations,
        rowsOfHead,
        others,
      );
    },
    session: (name, make, onDevice) => sessionOf(name, make, onDevice, openSteady),
    derive(name, change) {
      let opening = derived.get(name);
      if (!opening) {
        const changed = change(copyGraph(source));
        opening = openGraph(changed, described, { ...options, layer: layer.name });
        derived.set(name, opening);
      }
      return opening;
    },
    linearHead() {
      if (!logits) return { reason: "the model has no tensor of logits" };
      return linearHead(graph, layer.name, logits);
    },
    async dispose() {
      await session.dispose();
      for (const opening of sessions.values()) {
        await opening.then((open) => open.dispose(), () => {});
      }
      for (const opening of derived.values()) {
        await opening.then((open) => open.dispose(), () => {});
      }
    },
  };
}

/** Opens a graph that is evaluated for one sample at a time, whose rows always lie in the same places. */
function openAsIs(
  graph: Graph,
  backend: Backend,
  options?: SessionOptions,
): Promise<Session> {
  return openSession(writeModel(graph), backend, options);
}

/** Adds the gradient's mean over space, so that Grad-CAM's weights never leave the device. */
function withMean(graph: Graph): Graph {
  const builder = builderOn(graph, "emocam_mean");
  const mean = graph.opset >= 18
    ? builder.op("ReduceMean", ["gradient", builder.ints([2, 3])], {
      keepdims: { kind: "int", value: 0 },
    })
    : builder.op("ReduceMean", ["gradient"], {
      axes: ints([2, 3]),
      keepdims: { kind: "int", value: 0 },
    });
  graph.nodes.push({
    name: "gradient_mean",
    op: "Identity",
    domain: "",
    inputs: [mean],
    outputs: ["gradient_mean"],
    attributes: {},
  });
  const { shape = [] } = builder.known.get(mean) ?? {};
  graph.outputs.push({ name: "gradient_mean", type: "float32", shape });
  return graph;
}
