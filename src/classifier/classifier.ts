/**
 * The cut classifier: an ONNX model that yields, in one pass, its scores and the activation at its target layer, and on
 * demand the gradient of a score there.
 *
 * @module
 */

import { ModelError, UsageError } from "../base/errors.ts";
import { type Json, sha256 } from "../base/json.ts";
import { floats, sizeOf, type Tensor } from "../base/tensor.ts";
import type { Placement } from "../image/geometry.ts";
import { gradientGraph } from "../onnx/backward.ts";
import { cut, extract } from "../onnx/extract.ts";
import { type Graph, ints, type Value } from "../onnx/graph.ts";
import { linearHead } from "../onnx/linear_head.ts";
import { readModel, writeModel } from "../onnx/model_file.ts";
import { type ReceptiveField, receptiveFields } from "../onnx/receptive_field.ts";
import { withScores } from "../onnx/scores.ts";
import { builderOn, inferShapes } from "../onnx/shapes.ts";
import { defaultTargetLayer, targetLayers } from "../onnx/target_layer.ts";
import { GRADIENT_RULES } from "../rules/gradient/mod.ts";
import type { ClassifierCard } from "../runtime/card.ts";
import {
  type Backend,
  backendVersion,
  isGpuTensor,
  openSession,
  type Session,
  type SessionValue,
  toFloats,
} from "../runtime/session.ts";
import type { ClassifierSource } from "./source.ts";

/** The tensor that a score is read from. */
export type ScoreTensor = "logits" | "probabilities";

/** How a map's cells are placed on the input. */
export type PlacementRule = "receptive-field" | "half-pixel";

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

/** A classifier that is loaded, cut and ready. */
export interface Classifier {
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
  /** Weights [classes, C] of a pooling + linear head, or why there is none. */
  linearHead(): { weights: Tensor } | { reason: string };
  dispose(): Promise<void>;
}

/**
 * Loads a classifier and cuts it at its target layer.
 *
 * @throws {ModelError} when the model does not fit its card, has no usable target layer, or the backend refuses it.
 * @throws {UsageError} when the layer asked for is not in the model.
 */
export async function openClassifier(
  { card, bytes, meanImage, notices: remarks }: ClassifierSource,
  options: ClassifierOptions,
): Promise<Classifier> {
  const { backend } = options;
  const modelHash = sha256(bytes);
  const notices = [...remarks];
  const source = readModel(bytes);
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
  const layer = findLayer(graph, logits ?? probabilities, options.layer ?? card.targetLayer);
  const { head, bypass } = cut(graph, layer.name);
  const field = receptiveFields(graph, graph.inputs[0]!.name).get(layer.name);
  const placementRule = options.placement ?? card.placement;
  const placement = place(placementRule, layer, inputShape, field, notices);
  const outputs = [layer.name, ...bypass, ...logits ? [logits] : [], probabilities];
  const passage = extract(graph, { inputs: [graph.inputs[0]!.name], outputs }, card.name);
  const onDevice = [layer.name, ...bypass];
  const session = await openSession(writeModel(passage), backend, { onDevice });
  const gradients = new Map<ScoreTensor, Promise<Session>>();

  const openGradient = async (score: ScoreTensor): Promise<Session> => {
    const value = score === "logits" ? logits : probabilities;
    if (!value) {
      throw new ModelError(`Cannot differentiate the logits of ${card.name}: it has none`);
    }
    const backward = gradientGraph(head, {
      score: value,
      target: layer.name,
      table: GRADIENT_RULES,
    });
    return await openSession(writeModel(withMean(backward)), backend, {
      onDevice: ["gradient", "gradient_mean"],
    });
  };

  return {
    card,
    ...(meanImage ? { meanImage } : {}),
    backend,
    batch,
    classes: card.classes,
    inputShape,
    layer: { ...layer, ...(field ? { field } : {}) },
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
    async forward(input) {
      const count = input.shape[0]!;
      const results = await session.run({ [graph.inputs[0]!.name]: padRows(input, batch) });
      const kept = Object.fromEntries(bypass.map((name) => [name, results[name]!]));
      const activation = results[layer.name]!;
      return {
        count,
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
      let opening = gradients.get(score);
      if (!opening) gradients.set(score, opening = openGradient(score));
      const backward = await opening;
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
    linearHead() {
      if (!logits) return { reason: "the model has no tensor of logits" };
      return linearHead(graph, layer.name, logits);
    },
    async dispose() {
      await session.dispose();
      for (const opening of gradients.values()) await (await opening).dispose();
    },
  };
}

/** Gives a value's GPU buffer back, if it has one. */
export function release(value: SessionValue): void {
  if (isGpuTensor(value)) value.dispose();
}

/** Fixes the input's extents from card and graph, leaving the batch free where the model does. */
function fixInput(
  graph: Graph,
  card: ClassifierCard,
  wanted: number,
  notices: string[],
): { batch: number; inputShape: [number, number, number] } {
  const fail = (why: string) => {
    throw new ModelError(`Cannot use model ${card.name}: ${why}`);
  };
  if (graph.inputs.length !== 1) {
    const names = graph.inputs.map(({ name }) => name).join(", ");
    fail(`it has ${graph.inputs.length} inputs (${names}), a classifier of images has one`);
  }
  const input = graph.inputs[0]!;
  if (input.name !== card.input.name) {
    fail(`its input is called ${input.name}, its card says ${card.input.name}`);
  }
  const channels = card.input.channels === "grey" ? 1 : 3;
  const wantedShape = [channels, card.input.height, card.input.width] as const;
  const stated = input.shape ?? ["N", ...wantedShape];
  if (stated.length !== 4) fail(`its input has shape [${stated}], not [N, C, H, W]`);
  stated.slice(1).forEach((extent, i) => {
    if (typeof extent === "number" && extent !== wantedShape[i]) {
      fail(`its input has shape [${stated}], its card says [N, ${wantedShape.join(", ")}]`);
    }
  });
  const first = stated[0];
  const fixed = typeof first === "number" && first > 0 ? first : undefined;
  if (fixed !== undefined && fixed !== wanted) {
    notices.push(`${card.name} has a fixed batch size of ${fixed}`);
  }
  input.shape = [fixed ?? "N", ...wantedShape];
  return { batch: fixed ?? wanted, inputShape: [...wantedShape] };
}

function findLayer(
  graph: Graph,
  to: Value,
  name: string | undefined,
): { name: Value; channels: number; height: number; width: number } {
  const layers = targetLayers(graph, to);
  const wanted = name ?? defaultTargetLayer(graph, to);
  const found = layers.find((layer) => layer.name === wanted);
  if (found) return found;
  const shape = inferShapes(graph).get(wanted)?.shape;
  const why = shape ? `its shape is [${shape}], not [N, C, h, w]` : "no tensor has this name";
  const offered = layers.slice(-6).map((layer) => layer.name).join(", ");
  throw new UsageError(
    `Cannot use target layer ${
      JSON.stringify(wanted)
    }: ${why}; take one of … ${offered} (all: emocam models inspect)`,
  );
}

/**
 * Where the cells of the target layer lie on the input. With receptive fields cell i is centred on pixel
 * centre + stride · i; half-pixel spreads h cells evenly over H pixels.
 */
function place(
  rule: PlacementRule,
  layer: { name: Value; height: number; width: number },
  [, height, width]: readonly [number, number, number],
  field: ReceptiveField | undefined,
  notices: string[],
): Placement {
  const even: Placement = {
    x: { scale: layer.width / width, offset: -0.5 },
    y: { scale: layer.height / height, offset: -0.5 },
  };
  if (!field) {
    if (rule === "receptive-field") {
      notices.push(
        `layer ${layer.name} has no receptive fields; its maps are placed by the half-pixel convention`,
      );
    }
    return even;
  }
  const byField: Placement = {
    x: { scale: 1 / field.x.stride, offset: -(field.x.centre + 0.5) / field.x.stride },
    y: { scale: 1 / field.y.stride, offset: -(field.y.centre + 0.5) / field.y.stride },
  };
  if (rule === "receptive-field") return byField;
  const shift = Math.max(
    furthest(byField.x, even.x, width) / even.x.scale,
    furthest(byField.y, even.y, height) / even.y.scale,
  );
  if (shift > 0.1 / Math.max(even.x.scale, even.y.scale)) {
    notices.push(
      `maps are placed by the half-pixel convention; by their receptive fields cells lie up to ${
        shift.toFixed(1)
      } pixels elsewhere (--placement receptive-field)`,
    );
  }
  return even;
}

/** Largest distance in cells between two placements over an input of the given extent. */
function furthest(
  a: { scale: number; offset: number },
  b: { scale: number; offset: number },
  extent: number,
): number {
  const at = (x: number) => Math.abs((a.scale - b.scale) * x + a.offset - b.offset);
  return Math.max(at(0.5), at(extent - 0.5));
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

/** Appends rows of zeros up to `count` rows. */
function padRows(value: Tensor, count: number): Tensor {
  const [n, ...rest] = value.shape;
  if (n === count) return value;
  if (n! > count) throw new RangeError(`Cannot run ${n} samples: a batch has ${count}`);
  const data = new Float32Array(count * sizeOf(rest));
  data.set(value.data);
  return floats([count, ...rest], data);
}
