/**
 * Operations that rules write often, in the form that the graph's operator set asks for.
 *
 * Extents are written as constants wherever they are known, with the batch left free, so that no shape is computed while
 * a model runs; only where two extents are symbolic at once is the shape of an existing value read at run time.
 *
 * @module
 */

import { UnsupportedOpError } from "../base/errors.ts";
import { toNumbers } from "../base/tensor.ts";
import { windowsOf } from "../onnx/window.ts";
import {
  type Attribute,
  float,
  type GraphBuilder,
  int,
  ints,
  type Node,
  type Shape,
  string,
  type Value,
} from "../onnx/graph.ts";

/** The refusal of a variant of an operator that a rule does not cover. */
export function unsupported(node: Node, what: string, wayOut: string): UnsupportedOpError {
  return new UnsupportedOpError(
    node.op,
    node.name,
    `Cannot differentiate node ${JSON.stringify(node.name)} (${node.op}): ${what}`,
    wayOut,
  );
}

/**
 * Makes sure that only the given inputs of a node are asked for a cotangent.
 *
 * @throws {UnsupportedOpError} otherwise, because a missing term would be a wrong gradient, not an error.
 */
export function onlyInputs(
  node: Node,
  needed: readonly boolean[],
  ...covered: readonly number[]
): void {
  const other = needed.findIndex((need, i) => need && !covered.includes(i));
  if (other < 0) return;
  throw unsupported(
    node,
    `its input ${other} (${JSON.stringify(node.inputs[other])}) depends on the target`,
    "choose a target layer after it or a method without gradients",
  );
}

/** Cotangents with one entry for input 0 and nothing for the others. */
export function toFirst(node: Node, cotangent: Value | null): (Value | null)[] {
  return node.inputs.map((_, i) => i === 0 ? cotangent : null);
}

/** The numbers of a value, if they follow from the graph; `undefined` for an absent or computed one. */
export function constantOf(b: GraphBuilder, value: Value | undefined): number[] | undefined {
  if (!value) return undefined;
  const weight = b.weight(value);
  if (weight) return toNumbers(weight);
  const elements = b.known.get(value)?.elements;
  if (elements?.every((element) => typeof element === "number")) return [...elements];
  const node = b.graph.nodes.find((n) => n.outputs[0] === value);
  if (node?.op === "Identity") return constantOf(b, node.inputs[0]);
  if (node?.op !== "Constant") return undefined;
  for (const attribute of Object.values(node.attributes)) {
    switch (attribute.kind) {
      case "tensor":
        return toNumbers(attribute.value);
      case "int":
      case "float":
        return [attribute.value];
      case "ints":
      case "floats":
        return [...attribute.value];
    }
  }
  return undefined;
}

/**
 * The extent of one axis as a number.
 *
 * @throws {UnsupportedOpError} when it is symbolic.
 */
export function fixedExtent(b: GraphBuilder, node: Node, value: Value, axis: number): number {
  const extent = b.shape(value)[axis];
  if (typeof extent === "number") return extent;
  throw unsupported(
    node,
    `axis ${axis} of ${JSON.stringify(value)} has the open extent ${JSON.stringify(extent)}`,
    "fix the model's input size",
  );
}

/** The spatial extents (all axes after batch and channels) as numbers. @throws {UnsupportedOpError} */
export function spatialExtents(b: GraphBuilder, node: Node, value: Value): number[] {
  return b.shape(value).slice(2).map((_, i) => fixedExtent(b, node, value, i + 2));
}

/** The windows of a Conv or pooling node, all numbers. */
export interface Windows {
  input: number[];
  output: number[];
  kernel: number[];
  strides: number[];
  dilations: number[];
  /** Padding before and after; the latter as stated, whether or not the windows reach that far. */
  before: number[];
  after: number[];
  /** Extent of the input that one window covers. */
  reach: number[];
}

/** The windows of a Conv or pooling node whose first input has known spatial extents. @throws {UnsupportedOpError} */
export function windows(b: GraphBuilder, node: Node, kernel?: readonly number[]): Windows {
  const input = spatialExtents(b, node, node.inputs[0]);
  const axes = windowsOf(node, input, kernel);
  return {
    input,
    output: axes.map((axis) => axis.output as number),
    kernel: axes.map((axis) => axis.kernel),
    strides: axes.map((axis) => axis.stride),
    dilations: axes.map((axis) => axis.dilation),
    before: axes.map((axis) => axis.before!),
    after: axes.map((axis) => axis.after!),
    reach: axes.map((axis) => (axis.kernel - 1) * axis.dilation + 1),
  };
}

/** A non-negative axis. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** The whole numbers 0 … n−1. */
export function range(n: number, from = 0): number[] {
  return Array.from({ length: n }, (_, i) => i + from);
}

/** Sums over axes. */
export function reduceSum(b: GraphBuilder, x: Value, axes: readonly number[], keep = true): Value {
  return reduce(b, "ReduceSum", 13, x, axes, keep);
}

/** Means over axes. */
export function reduceMean(b: GraphBuilder, x: Value, axes: readonly number[]): Value {
  return reduce(b, "ReduceMean", 18, x, axes, true);
}

/** Maxima over axes. */
export function reduceMax(b: GraphBuilder, x: Value, axes: readonly number[]): Value {
  return reduce(b, "ReduceMax", 18, x, axes, true);
}

function reduce(
  b: GraphBuilder,
  op: string,
  axesAsInput: number,
  x: Value,
  axes: readonly number[],
  keep: boolean,
): Value {
  if (axes.length === 0) return x;
  const keepdims = { keepdims: int(keep ? 1 : 0) };
  return b.graph.opset >= axesAsInput
    ? b.op(op, [x, b.ints(axes)], keepdims)
    : b.op(op, [x], { axes: ints(axes), ...keepdims });
}

/** Inserts axes of extent 1 (positions in the result, ascending). */
export function unsqueeze(b: GraphBuilder, x: Value, axes: readonly number[]): Value {
  if (axes.length === 0) return x;
  return b.graph.opset >= 13
    ? b.op("Unsqueeze", [x, b.ints(axes)])
    : b.op("Unsqueeze", [x], { axes: ints(axes) });
}

/** Removes axes of extent 1. */
export function squeeze(b: GraphBuilder, x: Value, axes: readonly number[]): Value {
  if (axes.length === 0) return x;
  return b.graph.opset >= 13
    ? b.op("Squeeze", [x, b.ints(axes)])
    : b.op("Squeeze", [x], { axes: ints(axes) });
}

/** Exchanges axes: axis i of the result is axis `perm[i]` of x. */
export function transpose(b: GraphBuilder, x: Value, perm: readonly number[]): Value {
  return perm.every((axis, i) => axis === i) ? x : b.op("Transpose", [x], { perm: ints(perm) });
}

/** Cuts `[start, end)` out of axes; `end` may be `Infinity`. */
export function slice(
  b: GraphBuilder,
  x: Value,
  axes: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
): Value {
  // int32's maximum means "to the end" in both forms.
  const stops = ends.map((end) => end === Infinity ? 2147483647 : end);
  return b.graph.opset >= 10
    ? b.op("Slice", [x, b.ints(starts), b.ints(stops), b.ints(axes)])
    : b.op("Slice", [x], { starts: ints(starts), ends: ints(stops), axes: ints(axes) });
}

/** Takes every `strides[i]`-th element of spatial axis i (axis i + 2), from `starts[i]`, `counts[i]` of them. */
export function strided(
  b: GraphBuilder,
  x: Value,
  starts: readonly number[],
  counts: readonly number[],
  strides: readonly number[],
): Value {
  const axes = range(starts.length, 2);
  const ends = starts.map((start, i) => start + (counts[i] - 1) * strides[i] + 1);
  if (b.graph.opset >= 10) {
    return b.op("Slice", [x, b.ints(starts), b.ints(ends), b.ints(axes), b.ints(strides)]);
  }
  const cut = slice(b, x, axes, starts, ends);
  // Slice had no steps before operator set 10; a pool with windows of one element has.
  return strides.every((stride) => stride === 1) ? cut : b.op("MaxPool", [cut], {
    kernel_shape: ints(strides.map(() => 1)),
    strides: ints(strides),
  });
}

/** Surrounds a tensor with a constant; one entry an axis, none negative. */
export function pad(
  b: GraphBuilder,
  x: Value,
  before: readonly number[],
  after: readonly number[],
  value = 0,
): Value {
  if (before.every((n) => n === 0) && after.every((n) => n === 0)) return x;
  const pads = [...before, ...after];
  return b.graph.opset >= 11
    ? b.op("Pad", [x, b.ints(pads), b.scalar(value)], { mode: string("constant") })
    : b.op("Pad", [x], { mode: string("constant"), pads: ints(pads), value: float(value) });
}

/**
 * Gives a tensor another shape. One symbolic extent becomes −1; with several, the shape of `like` is read at run time.
 *
 * @param shape the new shape
 * @param like a value of that shape, for when it cannot be written down
 */
export function reshape(b: GraphBuilder, x: Value, shape: Shape, like?: Value): Value {
  const from = b.shape(x);
  if (from.length === shape.length && from.every((dim, i) => dim === shape[i])) return x;
  // 0 copies the extent at the same position.
  const copied = shape.map((dim, i) => typeof dim === "string" && dim === from[i] ? 0 : dim);
  const open = copied.filter((dim) => typeof dim === "string").length;
  if (open <= 1 && !(open === 1 && shape.includes(0))) {
    return b.op("Reshape", [x, b.ints(copied.map((dim) => typeof dim === "string" ? -1 : dim))]);
  }
  if (like === undefined) {
    throw new Error(
      `Cannot write the reshape of ${
        JSON.stringify(x)
      } to [${shape}]: more than one extent is symbolic`,
    );
  }
  return b.op("Reshape", [x, b.op("Shape", [like])]);
}

/** Gives `x` the shape of `like`, which has as many elements. */
export function reshapeLike(b: GraphBuilder, x: Value, like: Value): Value {
  return reshape(b, x, b.shape(like), like);
}

/** Repeats `x` along axes of extent 1 (and along missing leading axes) until it has the shape of `like`. */
export function expandLike(b: GraphBuilder, x: Value, like: Value): Value {
  const from = b.shape(x);
  const to = b.shape(like);
  const aligned = to.map((_, i) => from[i - to.length + from.length] ?? 1);
  if (from.length === to.length && to.every((dim, i) => dim === from[i])) return x;
  // Expand broadcasts both ways, so 1 keeps an extent that is there already.
  const target = to.map((dim, i) => dim === aligned[i] ? 1 : dim);
  if (target.every((dim) => typeof dim === "number")) {
    return b.op("Expand", [x, b.ints(target as number[])]);
  }
  return b.op("Expand", [x, b.op("Shape", [like])]);
}

/** Zeros of the shape of a value. */
export function zerosLike(b: GraphBuilder, like: Value): Value {
  return expandLike(b, b.scalar(0), like);
}

/** Sums a cotangent over the axes along which an operand was broadcast, so that it gets the operand's shape. */
export function unbroadcast(b: GraphBuilder, cotangent: Value, operand: Value): Value {
  const from = b.shape(cotangent);
  const to = b.shape(operand);
  const extra = from.length - to.length;
  const summed = reduceSum(b, cotangent, range(extra), false);
  const axes = range(to.length).filter((i) => to[i] === 1 && from[i + extra] !== 1);
  return reduceSum(b, summed, axes);
}

/** `x` where the condition holds, elsewhere 0. */
export function whereElseZero(b: GraphBuilder, condition: Value, x: Value): Value {
  return b.op("Where", [condition, x, b.scalar(0)]);
}

/** 0 where the condition holds, elsewhere `x`. */
export function zeroWhere(b: GraphBuilder, condition: Value, x: Value): Value {
  return b.op("Where", [condition, b.scalar(0), x]);
}

/** Multiplies by a number; nothing for 1. */
export function scale(b: GraphBuilder, x: Value, factor: number): Value {
  return factor === 1 ? x : b.op("Mul", [x, b.scalar(factor)]);
}

/** Attributes that are copied from a node where it has them. */
export function attributesOf(node: Node, ...names: readonly string[]): Record<string, Attribute> {
  const copied: Record<string, Attribute> = {};
  for (const name of names) {
    const attribute = node.attributes[name];
    if (attribute) copied[name] = attribute;
  }
  return copied;
}
