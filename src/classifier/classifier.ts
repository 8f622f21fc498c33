/**
 * The cut classifier: an ONNX model that yields, in one pass, its scores and the activation at its target layer, and on
 * demand the gradient of a score there.
 *
 * @module
 */

import type { Json } from "../base/json.ts";
import type { Tensor } from "../base/tensor.ts";
import type { Placement } from "../image/geometry.ts";
import type { Graph, Value } from "../onnx/graph.ts";
import type { ReceptiveField } from "../onnx/field.ts";
import type { ClassifierCard } from "../runtime/card.ts";
import type { Backend, Session, SessionValue } from "../runtime/session.ts";
import type { Scores } from "./evaluate.ts";
import type { PlacementRule } from "./geometry.ts";
import type { ClassifierSource } from "./source.ts";
import type { LayerExtents } from "./layer_forms/layer_form.ts";

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
  /** The inputs [batch, C, H, W]; absent where the pass started from stored activations. */
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

/** The graphs of a classifier, for methods that rewrite them. Graphs are shared: copy before a change. */
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

/** The layer at which a classifier is cut. */
export interface ClassifierLayer extends LayerExtents {
  readonly name: Value;
  /** Absent where it has no receptive fields. */
  readonly field?: ReceptiveField;
  /** Of a layer without: whether its rows and columns are the picture's. */
  readonly rows?: "of the picture" | "assumed" | "not known";
}

/** What a classifier is. */
export interface ClassifierFacts {
  /** What it was opened from. */
  readonly source: ClassifierSource;
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
  readonly layer: ClassifierLayer;
  /** The rule that `placement` follows: half-pixel where the layer has no receptive fields. */
  readonly placementRule: PlacementRule;
  readonly placement: Placement;
  /** Remarks that a user should see once (an assumed card, a placement that is not possible …). */
  readonly notices: readonly string[];
  /** Whether the model has a tensor of logits. */
  readonly hasLogits: boolean;
  /** Everything that determines predictions and activations, also of a classifier that is derived from another. */
  readonly key: Readonly<Record<string, Json>>;
  /** Whether a pass can be taken up from stored activations. */
  readonly resumable: boolean;
}

/** A classifier that is loaded, cut and ready. */
export interface Classifier extends ClassifierFacts {
  /** Runs 1 … `batch` inputs [n, C, H, W], padded with zeros to a full batch. */
  forward(input: Tensor): Promise<Forward>;
  /** Takes a forward pass up again from stored activations (of `resumable` classifiers only). */
  resume(activation: Tensor, logits: Tensor | undefined, probabilities: Tensor): Forward;
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
   * disposed of with this one, or by `dropDerived`.
   *
   * @param change gets a copy of `graphs.whole` whose maps and arrays are its own, the tensors shared.
   */
  derive(name: string, change: (graph: Graph) => Graph): Promise<Classifier>;
  /** Disposes of a derived classifier, if there is one of this name. */
  dropDerived(name: string): Promise<void>;
  /**
   * The same classifier cut at another layer. Made once for each, and disposed of with this one.
   *
   * @throws {UsageError} when the model has no such layer.
   */
  cutAt(layer: Value): Promise<Classifier>;
  dispose(): Promise<void>;
}
