/**
 * Target layers: the tensors at which a classifier can be cut for a class activation map.
 *
 * @module
 */

import { formOf, formsText, type LayerExtents } from "./layer_forms/mod.ts";
import { ModelError } from "../base/errors.ts";
import { flag } from "../base/flag.ts";
import { type Arrangement, arrangement, hasPlaces, isAssumed } from "../onnx/axis_factors.ts";
import { reachingCells } from "../onnx/cells_reach.ts";
import { formatShape } from "../onnx/dims.ts";
import { ancestors } from "../onnx/depends_on.ts";
import type { ReceptiveField } from "../onnx/field.ts";
import {
  type Graph,
  intOf,
  type Known,
  type Node,
  producers,
  type Shape,
  type Value,
} from "../onnx/graph.ts";
import { traceAxes, varyingWith } from "../onnx/image_axes.ts";
import { traceFields } from "../onnx/receptive_field.ts";
import { inferShapes } from "../onnx/shapes.ts";
import { simplify } from "../onnx/simplify.ts";

/** A tensor that can be a target layer. */
export interface TargetLayer extends LayerExtents {
  name: Value;
  /** The shape as inferred. */
  shape: readonly (number | string)[];
  /** The op that makes it. */
  op: string;
  /** Absent where it does not follow from the graph. */
  receptiveField?: ReceptiveField;
  /**
   * Of layers without a receptive field: whether their rows and columns are those of the picture (through attention, windows …), or that is
   * not known: "assumed" where a convolution takes them for such.
   */
  rows?: "of the picture" | "assumed" | "not known";
}

/** A tensor after the default target layer that has a say in the scores, of a form of which no maps can be made. */
export interface LaterTensor {
  readonly name: Value;
  readonly shape: Shape;
  /**
   * "not known" where it may be a layer, but its rows and columns cannot be followed to the picture; "perhaps tokens" of three axes that
   * cannot be followed.
   */
  readonly holds: "channels last" | "tokens" | "perhaps tokens" | "not known";
}

/** What a graph offers as target layers. */
export interface LayerSurvey {
  /** The layers, in the order of the graph. */
  readonly layers: readonly TargetLayer[];
  /** The default one. */
  readonly last?: TargetLayer;
  /** The last tensor after the default layer that would be one, if it were of a form of layer. */
  readonly later?: LaterTensor;
  /** How tensors of a layer's rank that are no layers lie on the picture, where that is the reason. */
  readonly refused: ReadonlyMap<Value, Arrangement>;
}

/** Arrangements of rank 4 that are no layers, whatever else is known. */
const NO_LAYERS: ReadonlySet<Arrangement | undefined> = new Set<Arrangement>([
  "exchanged",
  "channels-last",
  "batched",
  "listed",
]);

/**
 * The tensors between the image and `to` at which a classifier can be cut, the default one, and what comes after that.
 *
 * A layer is a tensor of floating-point numbers of a form of layer with more than one cell, whether or not its receptive field can be followed.
 * The graph's first input is the image. Channels-last tensors, tensors with h and w exchanged, windows as samples of a batch, weights of
 * attention and tensors of unknown extents are not among them.
 *
 * The default is the last layer whose cells reach `to` and whose rows and columns are those of the picture, or taken for such by a convolution
 * with a window of several rows and columns; without one, the last layer whose cells reach `to`.
 *
 * @throws {ModelError} when the shapes contradict each other.
 */
export function surveyLayers(source: Graph, to: Value): LayerSurvey {
  const outputs = source.outputs.some(({ name }) => name === to)
    ? source.outputs
    : [...source.outputs, { name: to, type: "float32" as const }];
  const graph = simplify({ ...source, outputs });
  const input = graph.inputs[0]?.name;
  if (input === undefined) return { layers: [], refused: new Map() };
  const known = inferShapes(graph);
  const fields = traceFields(graph, input);
  const axes = traceAxes(graph, known, input);
  const before = ancestors(graph, [to]);
  const varying = varyingWith(graph, input);
  const made = producers(graph);
  const layers: TargetLayer[] = [];
  const refused = new Map<Value, Arrangement>();
  for (const [name, node] of made) {
    const { type, shape } = known.get(name) ?? {};
    const between = before.has(name) && varying.has(name) && !graph.initializers.has(name);
    if (!between || !shape || !type?.startsWith("float")) continue;
    const found = formOf(shape);
    if (!found || found.extents.height * found.extents.width <= 1) continue;
    const { form, extents } = found;
    const tracked = axes.get(name);
    const lies = tracked && arrangement(tracked);
    if (NO_LAYERS.has(lies)) {
      refused.set(name, lies!);
      continue;
    }
    const layer: TargetLayer = { name, shape, ...extents, op: node.op };
    const state = fields.get(name);
    if (state && state !== "lost") {
      if (state.axes[0] !== form.axes[0] || state.axes[1] !== form.axes[1]) continue;
      layer.receptiveField = { y: state.y, x: state.x, global: state.global };
    } else if (lies === "channels-first" && isAssumed(tracked!)) layer.rows = "assumed";
    else if (lies === "channels-first") layer.rows = "of the picture";
    else if (tracked && !hasPlaces(tracked) && Math.min(extents.height, extents.width) === 1) {
      continue;
    } else if (!tracked && (weighs(made, known, node) || !isBatch(graph, shape))) continue;
    else layer.rows = "not known";
    layers.push(layer);
  }
  const cells = reachingCells(graph, known, axes, to);
  const reaching = layers.filter(({ name }) => cells.has(name));
  const last = reaching.findLast(({ rows }) => rows !== "not known") ?? reaching.at(-1);
  const order = [...made.keys()];
  const after = order.slice(last ? order.indexOf(last.name) + 1 : 0).filter((name) =>
    cells.has(name) && before.has(name) && varying.has(name) &&
    !(last && isRearranged(made, name, last.name))
  );
  const open = new Set(reaching.filter(({ rows }) => rows === "not known").map(({ name }) => name));
  const laters = after.flatMap((name): LaterTensor[] => {
    const { type, shape } = known.get(name) ?? {};
    const node = made.get(name)!;
    if (!shape || !type?.startsWith("float") || node.op === "Softmax") return [];
    if (open.has(name)) return [{ name, shape, holds: "not known" }];
    const tracked = axes.get(name);
    if (!tracked) {
      const [, tokens, channels] = shape;
      const list = shape.length === 3 && isBatch(graph, shape) && tokens !== 1 && channels !== 1;
      return list && isStream(node, varying) ? [{ name, shape, holds: "perhaps tokens" }] : [];
    }
    const lies = arrangement(tracked);
    if (lies === "tokens") return [{ name, shape, holds: "tokens" }];
    return lies === "channels-last" ? [{ name, shape, holds: "channels last" }] : [];
  });
  const sure = ({ holds }: LaterTensor) => holds === "tokens" || holds === "channels last";
  let later = laters.findLast(sure) ?? laters.at(-1);
  if (later?.holds === "tokens") {
    // Keys and values come after it, but a block's input is what is known as its map.
    const stream = (name: Value) => isStream(made.get(name)!, varying);
    later = laters.findLast(({ name, holds }) => holds === "tokens" && stream(name)) ?? later;
  }
  return { layers, refused, ...(last ? { last } : {}), ...(later ? { later } : {}) };
}

/** Whether a node's output is what blocks of a transformer hand on: a normalisation or a sum with what came before. */
function isStream({ op, inputs }: Node, varying: ReadonlySet<Value>): boolean {
  return op.endsWith("Normalization") || (op === "Add" && inputs.every((at) => varying.has(at)));
}

/** Whether the first extent may be the image's batch. */
function isBatch(graph: Graph, shape: Shape): boolean {
  const [extent] = shape;
  const batch = graph.inputs[0]?.shape?.[0];
  return batch === undefined || extent === batch || String(extent).includes("?");
}

/** Ops that leave weights of attention such. */
const WEIGHING: ReadonlySet<string> = new Set(["Add", "Mul", "Div", "Where", "Cast", "Dropout"]);

/** Whether a tensor of unknown axes is a matrix of attention: a product of two tensors over tokens × tokens, or its softmax. */
function weighs(
  made: ReadonlyMap<Value, Node>,
  known: ReadonlyMap<Value, Known>,
  node: Node,
): boolean {
  const shape = known.get(node.outputs[0])?.shape;
  if (!shape || shape.at(-1) !== shape.at(-2)) return false;
  let at: Node | undefined = node;
  for (; at; at = made.get(at.inputs[at.op === "Where" ? 2 : 0])) {
    if (at.op === "MatMul") return at.inputs.every((value) => made.has(value));
    if (at.op === "Softmax") {
      const axis = intOf(at, "axis", -1);
      return axis === -1 || axis === shape.length - 1;
    }
    if (!WEIGHING.has(at.op)) return false;
  }
  return false;
}

/** Ops that move values without changing them. */
const MOVING: ReadonlySet<string> = new Set(
  ["Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Cast", "Dropout"],
);

/** Whether a tensor holds another's values in another order, and nothing else. */
function isRearranged(made: ReadonlyMap<Value, Node>, name: Value, of: Value): boolean {
  let at = name;
  for (
    let node = made.get(at);
    at !== of && node && MOVING.has(node.op);
    node = made.get(at)
  ) at = node.inputs[0];
  return at === of;
}

/**
 * The layers of {@linkcode surveyLayers}.
 *
 * @throws {ModelError} when the shapes contradict each other.
 */
export function targetLayers(source: Graph, to: Value): readonly TargetLayer[] {
  return surveyLayers(source, to).layers;
}

/**
 * The last tensor with spatial extent on the way to `to`, by which Grad-CAM and its kin take the best compromise of
 * meaning and place; see {@linkcode surveyLayers}.
 *
 * @throws {ModelError} when there is none.
 */
export function defaultTargetLayer(graph: Graph, to: Value): Value {
  return lastLayer(surveyLayers(graph, to), to).name;
}

/** The default layer of a survey. @throws {ModelError} when there is none. */
export function lastLayer({ last, later }: LayerSurvey, to: Value): TargetLayer {
  if (last) return last;
  const instead = later && later.holds !== "not known"
    ? `${tensorText(later)} ${HOLDS[later.holds]}, and maps of such tensors cannot be made yet`
    : "a CAM needs a convolutional classifier of fixed input size";
  throw new ModelError(
    `Cannot find a target layer on the way to ${
      JSON.stringify(to)
    }: no tensor ${formsText()} with more than one cell; ${instead}`,
  );
}

/** What a later tensor holds, in words. */
const HOLDS = {
  "channels last": "is channels-last",
  tokens: "holds tokens",
  "perhaps tokens": "may hold tokens",
} as const;

/** A tensor's name and shape, with N for a batch of any size. */
function tensorText({ name, shape: [batch, ...rest] }: LaterTensor): string {
  return `${name} ${formatShape([typeof batch === "string" ? "N" : batch, ...rest])}`;
}

/**
 * A remark where the default layer is not the last of the net's maps; `undefined` where it is, or where another layer is taken.
 *
 * @param layer the one that is taken
 */
export function laterNotice({ last, later }: LayerSurvey, layer: TargetLayer): string | undefined {
  if (!last || !later || layer.name !== last.name) return undefined;
  const tensor = tensorText(later);
  return later.holds === "not known"
    ? `maps are of an earlier layer, ${last.name}: after it comes ${tensor}, but it is not known whether its rows and columns are those ` +
      `of the picture; if they are, name it with ${flag("layer")}`
    : `maps are of an earlier layer, ${last.name}: it is the last of the form ${formsText()}, and after it comes ${tensor}, which ${
      HOLDS[later.holds]
    }; maps of such tensors cannot be made yet`;
}
