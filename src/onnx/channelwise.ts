/**
 * How far a graph acts on each channel of a layer by itself, and the first product after it that mixes them.
 *
 * Up to there the effect of a channel does not depend on the others, and a product is a sum of one contribution a channel.
 *
 * @module
 */

import type { Tensor } from "../base/tensor.ts";
import { constantValue } from "./constants.ts";
import {
  type Dim,
  type Graph,
  intOf,
  intsOf,
  type Known,
  type Node,
  producers,
  readsOf,
  type Shape,
  type Value,
} from "./graph.ts";
import { dependents } from "./depends_on.ts";
import { inferShapes } from "./shapes.ts";

/**
 * A part of an axis: the batch, the layer's channels, or anything else. Axes are cut and joined by reshapes, so that an axis
 * is a list of factors, outermost first; one of extent 1 is empty.
 */
interface Factor {
  readonly role: "batch" | "channel" | "rest";
  readonly extent: Dim;
}

type Layout = readonly (readonly Factor[])[];

/** The first product after a layer, and what it reads. */
export interface ChannelwiseReach {
  /** What the product reads: computed from the layer channel by channel. */
  readonly value: Value;
  readonly product: Node;
  /** Gives the product's weights: [n, K] for a matrix product (scaled by alpha), [K, C, …] for a convolution. */
  readonly weights: () => Tensor;
  /** What the product adds, [K]; absent where it adds nothing. */
  readonly bias?: Tensor;
  readonly channels: number;
  /**
   * A matrix product reads [N, rows, before · C · after] and contracts the last axis; a convolution reads [N, C, …].
   */
  readonly form:
    | {
      readonly kind: "matrix";
      readonly rows: number;
      readonly before: number;
      readonly after: number;
    }
    | { readonly kind: "convolution" };
}

interface Walk {
  readonly graph: Graph;
  readonly made: ReadonlyMap<Value, Node>;
  readonly known: ReadonlyMap<Value, Known>;
  readonly live: ReadonlyMap<Value, Layout>;
}

/** The layout after a node that acts channel by channel; `undefined` for one that does not. */
type Step = (node: Node, walk: Walk) => Layout | undefined;

/**
 * Finds the channel-by-channel part after a layer, and the product that ends it.
 *
 * Functions of one element, arithmetic with anything that does not depend on the layer or lies the same way, pooling,
 * depthwise convolutions, reductions over other axes and rearrangements act channel by channel. The part must be read by one
 * product with constant weights and by nothing else: Gemm, MatMul, or a convolution of one group.
 *
 * @param head a graph that starts at the layer, simplified (`cut` gives one)
 * @param layer a tensor [N, C, …]
 * @returns the product, or a reason in words why there is none
 */
export function channelwiseReach(
  head: Graph,
  layer: Value,
): ChannelwiseReach | { reason: string } {
  const known = inferShapes(head);
  const shape = known.get(layer)?.shape;
  const channels = shape?.[1];
  if (!shape || typeof channels !== "number" || channels < 2) {
    return { reason: `${layer} has no known number of channels, or one only` };
  }
  const live = new Map<Value, Layout>([[
    layer,
    shape.map((extent, axis) => axis < 2 || extent !== 1 ? [{ role: role(axis), extent }] : []),
  ]]);
  const walk: Walk = { graph: head, made: producers(head), known, live };
  const downstream = dependents(head, [layer]);
  const readers: Node[] = [];
  for (const node of head.nodes) {
    const reads = readsOf(node).filter((read) => downstream.has(read));
    if (!reads.some((read) => live.has(read))) continue;
    const layout = reads.every((read) => live.has(read)) ? stepOf(node, walk) : undefined;
    const made = node.outputs[0];
    if (layout && layoutFits(layout, known.get(made)?.shape)) live.set(made, layout);
    else readers.push(node);
  }
  const ends = head.outputs.find(({ name }) => live.has(name));
  if (ends) return { reason: `no product between ${layer} and ${ends.name}` };
  if (readers.length !== 1) {
    return { reason: `${readers.map(named).join(", ") || "nothing"} read what acts by channels` };
  }
  return productOf(readers[0], walk, channels);
}

function role(axis: number): Factor["role"] {
  return axis === 0 ? "batch" : axis === 1 ? "channel" : "rest";
}

function named(node: Node): string {
  return `${node.op} ${JSON.stringify(node.name)}`;
}

function stepOf(node: Node, walk: Walk): Layout | undefined {
  const used = node.outputs.filter((output) => output !== "").length;
  if (used > 1 && node.op !== "Dropout") return undefined;
  const key = node.domain === "" ? node.op : `${node.domain}.${node.op}`;
  return Object.hasOwn(STEPS, key) ? STEPS[key](node, walk) : undefined;
}

/** A check of the rules above: the extents of the layout are those of the tensor. */
function layoutFits(layout: Layout, shape: Shape | undefined): boolean {
  return shape !== undefined && shape.length === layout.length &&
    layout.every((factors, axis) => sizeOfAxis(factors) === shape[axis]);
}

/** The extent of an axis; NaN where factors of symbolic extent are joined. */
function sizeOfAxis(factors: readonly Factor[]): Dim {
  if (factors.length === 1) return factors[0].extent;
  return factors.reduce((n, { extent }) => typeof extent === "number" ? n * extent : NaN, 1);
}

/** Whether the axes are the batch, the channels and others, in this order: what pooling and convolution ask for. */
function isImage(layout: Layout | undefined): layout is Layout {
  return layout !== undefined && layout.length > 2 &&
    layout.every((factors, axis) =>
      axis < 2
        ? factors.length === 1 && factors[0].role === role(axis)
        : factors.every((factor) => factor.role === "rest")
    );
}

/** The first input is the only one that depends on the layer. */
function onlyFirst(node: Node, { live }: Walk): Layout | undefined {
  return node.inputs.slice(1).some((input) => live.has(input))
    ? undefined
    : live.get(node.inputs[0]);
}

/** Arithmetic with broadcasting: all inputs that depend on the layer have their channels in the same place. */
const broadcast: Step = (node, { live }) => {
  const layouts = node.inputs.map((input) => live.get(input)).filter((layout) => !!layout);
  const rank = Math.max(...layouts.map((layout) => layout.length));
  const result: (readonly Factor[])[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const met = layouts.map((layout) => layout[axis - rank + layout.length] ?? [])
      .filter((factors) => factors.length > 0);
    const [first = []] = met;
    if (met.some((factors) => JSON.stringify(factors) !== JSON.stringify(first))) return undefined;
    result.push(first);
  }
  return result;
};

/** Batch and channels stay; the other axes have new extents. */
const spatial: Step = (node, walk) => {
  const layout = onlyFirst(node, walk);
  const shape = walk.known.get(node.outputs[0])?.shape;
  if (!isImage(layout) || shape?.length !== layout.length) return undefined;
  return layout.map((factors, axis) => axis < 2 ? factors : restOf(shape[axis]));
};

function restOf(extent: Dim): readonly Factor[] {
  return extent === 1 ? [] : [{ role: "rest", extent }];
}

const depthwise: Step = (node, walk) => {
  const channels = walk.live.get(node.inputs[0])?.[1]?.[0]?.extent;
  const weights = walk.known.get(node.inputs[1])?.shape;
  if (intOf(node, "group", 1) !== channels || weights?.[0] !== channels) return undefined;
  return spatial(node, walk);
};

const reduction: Step = (node, walk) => {
  const layout = onlyFirst(node, walk);
  const listed = intsOf(node, "axes") ??
    (node.inputs[1] ? walk.known.get(node.inputs[1])?.elements : undefined) ??
    (node.inputs[1] ? constantValue(walk.graph, walk.made, node.inputs[1])?.data : undefined);
  if (!layout || !listed) return undefined;
  const axes = new Set(
    Array.from(listed, Number).map((axis) => axis < 0 ? axis + layout.length : axis),
  );
  if ([...axes].some((axis) => layout[axis].some((factor) => factor.role !== "rest"))) {
    return undefined;
  }
  const emptied = layout.map((factors, axis) => axes.has(axis) ? [] : factors);
  return intOf(node, "keepdims", 1) ? emptied : emptied.filter((_, axis) => !axes.has(axis));
};

const transposition: Step = (node, walk) => {
  const layout = walk.live.get(node.inputs[0])!;
  const perm = intsOf(node, "perm") ?? [...layout.keys()].reverse();
  return perm.map((axis) => layout[axis]);
};

/** The factors in their order are dealt to the new axes; only one that is neither batch nor channels may be cut. */
const regrouping: Step = (node, walk) => {
  const shape = walk.known.get(node.outputs[0])?.shape;
  const left = onlyFirst(node, walk)?.flat().reverse();
  if (!shape || !left) return undefined;
  const result: Factor[][] = [];
  for (const extent of shape) {
    const axis: Factor[] = [];
    if (typeof extent === "string") {
      const factor = left.pop();
      if (factor?.extent !== extent) return undefined;
      axis.push(factor);
    } else {
      let open = extent;
      while (left.length > 0) {
        const factor = left.at(-1)!;
        if (typeof factor.extent === "string" || open === 1 && factor.extent !== 1) break;
        if (open % factor.extent === 0) {
          axis.push(left.pop()!);
          open /= factor.extent;
        } else if (factor.role === "rest" && factor.extent % open === 0) {
          left[left.length - 1] = { role: "rest", extent: factor.extent / open };
          axis.push({ role: "rest", extent: open });
          open = 1;
        } else return undefined;
      }
      if (open !== 1) return undefined;
    }
    result.push(axis);
  }
  return left.length === 0 ? result : undefined;
};

/** Padding of the other axes only. */
const padding: Step = (node, walk) => {
  const layout = onlyFirst(node, walk);
  const pads = intsOf(node, "pads") ?? walk.known.get(node.inputs[1] ?? "")?.elements;
  // With a list of axes (operator set 18) the pads are laid out otherwise.
  if (!layout || node.inputs[3] || pads?.length !== 2 * layout.length) return undefined;
  const free = [0, 1].every((axis) => pads[axis] === 0 && pads[axis + layout.length] === 0);
  return free ? spatial(node, walk) : undefined;
};

const cast: Step = (node, walk) => intOf(node, "to", 1) === 1 ? onlyFirst(node, walk) : undefined;

const each = (step: Step, ...ops: readonly string[]): Record<string, Step> =>
  Object.fromEntries(ops.map((op) => [op, step]));

/** Operators that can act channel by channel. A function without a value at 0 (Log, Reciprocal) is left out on purpose. */
const STEPS: Readonly<Record<string, Step>> = {
  ...each(
    onlyFirst,
    ...["Relu", "Clip", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "LeakyRelu", "PRelu", "Elu"],
    ...["Selu", "Celu", "ThresholdedRelu", "Softplus", "Softsign", "Mish", "Gelu", "Erf", "Neg"],
    ...["com.microsoft.Gelu", "Abs", "Exp", "Sqrt", "Sin", "Cos", "Floor", "Ceil", "Round", "Sign"],
    ...["Identity", "Dropout", "BatchNormalization", "Div", "Pow"],
  ),
  ...each(broadcast, "Add", "Sub", "Mul", "Sum", "Mean", "Max", "Min", "Where"),
  ...each(
    spatial,
    ...["MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"],
    ...["InstanceNormalization", "Resize", "Upsample"],
  ),
  ...each(
    reduction,
    ...[
      "ReduceMean",
      "ReduceSum",
      "ReduceMax",
      "ReduceMin",
      "ReduceSumSquare",
      "ReduceL1",
      "ReduceL2",
    ],
  ),
  ...each(regrouping, "Reshape", "Flatten", "Squeeze", "Unsqueeze"),
  Transpose: transposition,
  Conv: depthwise,
  Pad: padding,
  Cast: cast,
};

function productOf(
  node: Node,
  walk: Walk,
  channels: number,
): ChannelwiseReach | { reason: string } {
  const refusal = {
    reason: `${named(node)} mixes channels and is not a product with constant weights`,
  };
  const value = node.inputs[0];
  const layout = onlyFirst(node, walk);
  const constant = (input: string | undefined) =>
    input ? constantValue(walk.graph, walk.made, input) : undefined;
  const second = constant(node.inputs[1]);
  const third = constant(node.inputs[2]);
  if (node.domain !== "" || !layout || !second || (node.inputs[2] && !third)) return refusal;
  const found = { value, product: node, channels };
  if (node.op === "Conv") {
    if (!isImage(layout) || intOf(node, "group", 1) !== 1) return refusal;
    return {
      ...found,
      weights: () => second,
      ...(third ? { bias: third } : {}),
      form: { kind: "convolution" },
    };
  }
  const form = matrixForm(layout);
  if (!form || second.shape.length !== 2) return refusal;
  if (node.op === "MatMul") return { ...found, weights: () => second, form };
  if (node.op !== "Gemm" || intOf(node, "transA", 0) !== 0) return refusal;
  const { alpha, beta } = node.attributes;
  const isTransposed = intOf(node, "transB", 0) !== 0;
  const outputs = second.shape[isTransposed ? 0 : 1];
  const factor = alpha?.kind === "float" ? alpha.value : 1;
  if (third && third.data.length !== 1 && third.shape.at(-1) !== third.data.length) return refusal;
  const bias = third && scaled(third, beta?.kind === "float" ? beta.value : 1);
  return {
    ...found,
    weights: () => scaled(isTransposed ? transposed(second) : second, factor),
    ...(bias ? { bias: spread(bias, outputs) } : {}),
    form,
  };
}

/** [N, rows…, before · C · after]: where the channels are in the axis that a matrix product contracts. */
function matrixForm(layout: Layout): ChannelwiseReach["form"] | undefined {
  const [batch = [], ...others] = layout;
  const last = others.pop();
  const at = last?.findIndex((factor) => factor.role === "channel") ?? -1;
  const free = others.flat().every((factor) => factor.role === "rest");
  if (at < 0 || !free || batch.length !== 1 || batch[0].role !== "batch") return undefined;
  const rows = sizeOfAxis(others.flat());
  const before = sizeOfAxis(last!.slice(0, at));
  const after = sizeOfAxis(last!.slice(at + 1));
  const sizes = [rows, before, after];
  if (!sizes.every((size): size is number => Number.isInteger(size))) return undefined;
  return { kind: "matrix", rows: sizes[0], before: sizes[1], after: sizes[2] };
}

function transposed(matrix: Tensor): Tensor {
  const [rows, columns] = matrix.shape as [number, number];
  const { data } = matrix;
  const result = new Float32Array(data.length);
  // In squares, so that both sides stay in the cache: the first layer of a classifier has tens of millions of weights.
  const side = 32;
  for (let top = 0; top < rows; top += side) {
    const bottom = Math.min(rows, top + side);
    for (let left = 0; left < columns; left += side) {
      const right = Math.min(columns, left + side);
      for (let j = left; j < right; j++) {
        for (let i = top; i < bottom; i++) result[j * rows + i] = data[i * columns + j];
      }
    }
  }
  return { type: "float32", shape: [columns, rows], data: result };
}

function scaled(value: Tensor, factor: number): Tensor {
  return factor === 1 ? value : { ...value, data: value.data.map((x) => x * factor) };
}

function spread(bias: Tensor, outputs: number): Tensor {
  const data = bias.data.length === outputs
    ? bias.data
    : new Float32Array(outputs).fill(bias.data[0]);
  return { type: "float32", shape: [outputs], data };
}
