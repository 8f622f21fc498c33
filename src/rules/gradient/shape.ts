/**
 * Gradients of operators that only rearrange: reshaping, joining and cutting.
 *
 * @module
 */

import {
  type GraphBuilder,
  int,
  intOf,
  intsOf,
  type Node,
  stringOf,
  type Value,
} from "../../onnx/graph.ts";
import type { Rule } from "../../onnx/backward.ts";
import {
  axisOf,
  constantOf,
  fixedExtent,
  pad,
  range,
  reshape,
  reshapeLike,
  slice,
  toFirst,
  transpose,
  unsqueeze,
  unsupported,
  zerosLike,
} from "../forms.ts";

/** Reshape, Flatten, Squeeze and Unsqueeze: the cotangent in the input's shape. */
export const reshaped: Rule = (b, node, [y]) => toFirst(node, reshapeLike(b, y!, node.inputs[0]));

/** Transpose: the inverse permutation. */
export const transposed: Rule = (b, node, [y]) => {
  const rank = b.shape(node.inputs[0]).length;
  const perm = intsOf(node, "perm") ?? range(rank).reverse();
  return toFirst(node, transpose(b, y!, range(rank).map((axis) => perm.indexOf(axis))));
};

/** Concat: each input's part of the cotangent. */
export const concat: Rule = (b, node, [y], needed) => {
  const axis = axisOf(intOf(node, "axis", 1), b.shape(y!).length);
  let start = 0;
  return node.inputs.map((input, i) => {
    // An open extent (joining along the batch) matters only for what comes after it.
    if (!needed.slice(i).includes(true)) return null;
    const extent = fixedExtent(b, node, input, axis);
    const from = start;
    start += extent;
    if (!needed[i]) return null;
    return node.inputs.length === 1 ? y! : slice(b, y!, [axis], [from], [from + extent]);
  });
};

/** Split: the cotangents joined again, zeros where nothing flows. */
export const split: Rule = (b, node, out) => {
  const axis = axisOf(intOf(node, "axis", 0), b.shape(node.inputs[0]).length);
  const parts = node.outputs.map((output, i) => out[i] ?? zerosLike(b, output));
  return toFirst(
    node,
    parts.length === 1 ? parts[0] : b.op("Concat", parts, { axis: int(axis) }),
  );
};

/** One axis of a Slice: `count` elements from `start` on, every `step`-th. */
interface Cut {
  axis: number;
  extent: number;
  start: number;
  step: number;
  count: number;
}

/** Slice with constant bounds: the cotangent with zeros around, and between its elements if there are steps. */
export const sliced: Rule = (b, node, [y]) => {
  const x = node.inputs[0];
  const shape = b.shape(x);
  let result = y!;
  for (const cut of cutsOf(b, node)) {
    const { axis, extent, start, step, count } = cut;
    // Taking every |step|-th element backwards is the same as forwards with the order reversed.
    if (step < 0) result = reversed(b, result, axis, count);
    const stride = Math.abs(step);
    const first = step < 0 ? start + (count - 1) * step : start;
    if (stride > 1 && count > 1) result = spread(b, result, axis, stride, count);
    const length = (count - 1) * stride + 1;
    const zeros = shape.map(() => 0);
    result = pad(
      b,
      result,
      zeros.map((_, i) => i === axis ? first : 0),
      zeros.map((_, i) => i === axis ? extent - first - length : 0),
    );
  }
  return toFirst(node, result);
};

/** The axes that a Slice shortens or reorders, with ONNX's clamping of bounds. */
function cutsOf(b: GraphBuilder, node: Node): Cut[] {
  const x = node.inputs[0];
  const shape = b.shape(x);
  const read = (name: string, input: number) =>
    b.graph.opset < 10 ? intsOf(node, name) : constantOf(b, node.inputs[input]);
  const starts = read("starts", 1);
  const ends = read("ends", 2);
  if (!starts || !ends) {
    throw unsupported(node, "its bounds are computed", "simplify the model (onnxsim)");
  }
  const axes = read("axes", 3) ?? range(starts.length);
  const steps = (b.graph.opset < 10 ? undefined : constantOf(b, node.inputs[4])) ??
    starts.map(() => 1);
  return axes.flatMap((stated, i) => {
    const axis = axisOf(stated, shape.length);
    const step = steps[i];
    // All of an open axis.
    if (starts[i] === 0 && step === 1 && ends[i] >= 2 ** 31 - 1) return [];
    const extent = fixedExtent(b, node, x, axis);
    const clamp = (at: number, low: number, high: number) =>
      Math.min(Math.max(at < 0 ? at + extent : at, low), high);
    const start = step > 0 ? clamp(starts[i], 0, extent) : clamp(starts[i], 0, extent - 1);
    const end = step > 0 ? clamp(ends[i], 0, extent) : clamp(ends[i], -1, extent - 1);
    const count = Math.max(Math.ceil((end - start) / step), 0);
    return start === 0 && step === 1 && count === extent ? [] : [{
      axis,
      extent,
      start,
      step,
      count,
    }];
  });
}

/** An axis back to front. Gather, because Slice had no negative steps before operator set 10. */
function reversed(b: GraphBuilder, x: Value, axis: number, extent: number): Value {
  return b.op("Gather", [x, b.ints(range(extent).reverse())], { axis: int(axis) });
}

/** Puts `stride − 1` zeros between neighbouring elements of an axis. */
function spread(b: GraphBuilder, x: Value, axis: number, stride: number, count: number): Value {
  const shape = b.shape(x);
  const apart = unsqueeze(b, x, [axis + 1]);
  const zeros = range(shape.length + 1).map(() => 0);
  const filled = pad(b, apart, zeros, zeros.map((_, i) => i === axis + 1 ? stride - 1 : 0));
  const joined = [...shape.slice(0, axis), count * stride, ...shape.slice(axis + 1)];
  const flat = b.op("Reshape", [filled, b.ints(joined.map((dim, i) => extentCode(dim, i)))]);
  return slice(b, flat, [axis], [0], [(count - 1) * stride + 1]);

  function extentCode(dim: number | string, i: number): number {
    if (typeof dim === "number") return dim;
    // In front of the axis the positions are still those of the input, so 0 copies.
    return i < axis ? 0 : -1;
  }
}

/** Pad with a constant: the cotangent without the border. */
export const padded: Rule = (b, node, [y], needed) => {
  const x = node.inputs[0];
  const mode = stringOf(node, "mode", "constant");
  if (mode !== "constant") {
    throw unsupported(node, `its mode is ${mode}`, "choose a target layer after it");
  }
  if (needed[2]) {
    throw unsupported(node, "its border depends on the target", "choose a target layer after it");
  }
  const rank = b.shape(x).length;
  const stated = b.graph.opset < 11 ? intsOf(node, "pads") : constantOf(b, node.inputs[1]);
  const axes = constantOf(b, node.inputs[3]) ?? range(rank);
  if (!stated || (node.inputs[3] && !constantOf(b, node.inputs[3]))) {
    throw unsupported(node, "its pads are computed", "simplify the model (onnxsim)");
  }
  const before = range(rank).map(() => 0);
  const after = range(rank).map(() => 0);
  axes.forEach((axis, i) => {
    before[axisOf(axis, rank)] = stated[i];
    after[axisOf(axis, rank)] = stated[i + axes.length];
  });
  const positive = (n: number) => Math.max(n, 0);
  const cut = range(rank).filter((axis) => before[axis] > 0 || after[axis] > 0);
  const inner = cut.length === 0 ? y! : slice(
    b,
    y!,
    cut,
    cut.map((axis) => positive(before[axis])),
    cut.map((axis) => after[axis] > 0 ? -after[axis] : Infinity),
  );
  // Negative pads cut the input; what was cut off gets zeros.
  return toFirst(
    node,
    pad(b, inner, before.map((n) => positive(-n)), after.map((n) => positive(-n))),
  );
};

/** Gather with constant indices: the cotangents summed at the places they were taken from. */
export const gather: Rule = (b, node, [y], needed) => {
  if (!needed[0]) return [null, null];
  const x = node.inputs[0];
  const shape = b.shape(x);
  const axis = axisOf(intOf(node, "axis", 0), shape.length);
  const indices = constantOf(b, node.inputs[1]);
  if (!indices) {
    throw unsupported(node, "its indices are computed", "simplify the model (onnxsim)");
  }
  const extent = fixedExtent(b, node, x, axis);
  const at = indices.map((index) => axisOf(index, extent));
  const indexRank = b.shape(node.inputs[1]).length;
  if (indexRank === 0) {
    const zeros = shape.map(() => 0);
    const one = unsqueeze(b, y!, [axis]);
    return [
      pad(
        b,
        one,
        zeros.map((_, i) => i === axis ? at[0] : 0),
        zeros.map((_, i) => i === axis ? extent - at[0] - 1 : 0),
      ),
      null,
    ];
  }
  // A product with the one-hot rows of the indices, the gathered axis last.
  const oneHot = new Float32Array(at.length * extent);
  at.forEach((index, row) => oneHot[row * extent + index] = 1);
  const flat = indexRank === 1
    ? y!
    : reshape(b, y!, [...shape.slice(0, axis), at.length, ...shape.slice(axis + 1)]);
  const others = range(shape.length).filter((i) => i !== axis);
  const last = transpose(b, flat, [...others, axis]);
  const summed = b.op("MatMul", [last, b.floats([at.length, extent], oneHot)]);
  const back = range(shape.length).map((i) => i === axis ? others.length : others.indexOf(i));
  return [transpose(b, summed, back), null];
};

/** Tile by a constant: the sum over the copies. */
export const tile: Rule = (b, node, [y]) => {
  const x = node.inputs[0];
  const repeats = constantOf(b, node.inputs[1]);
  if (!repeats) {
    throw unsupported(node, "its repeats are computed", "simplify the model (onnxsim)");
  }
  let result = y!;
  repeats.forEach((times, axis) => {
    if (times === 1) return;
    const extent = fixedExtent(b, node, x, axis);
    const copies = range(times).map((copy) =>
      slice(b, result, [axis], [copy * extent], [(copy + 1) * extent])
    );
    result = copies.reduce((total, copy) => b.op("Add", [total, copy]));
  });
  return toFirst(node, result);
};

/** ONNX's numbers for the types that can carry a cotangent. */
const FLOATING = { float32: 1, float16: 10, float64: 11 } as const;

/** Cast between floating-point types: the cotangent in the input's type. */
export const cast: Rule = (b, node, [y]) => {
  const type = b.known.get(node.inputs[0])?.type;
  const to = type && type in FLOATING ? FLOATING[type as keyof typeof FLOATING] : undefined;
  if (to === undefined) return toFirst(node, null);
  if (b.known.get(y!)?.type === type) return toFirst(node, y!);
  return toFirst(node, b.op("Cast", [y!], { to: int(to) }));
};

/** SpaceToDepth: DepthToSpace puts the blocks back. */
export const spaceToDepth: Rule = (b, node, [y]) =>
  toFirst(node, b.op("DepthToSpace", [y!], { blocksize: int(intOf(node, "blocksize", 1)) }));

/** DepthToSpace: SpaceToDepth for DCR; for CRD the channels' order differs, so the permutation is written out. */
export const depthToSpace: Rule = (b, node, [y]) => {
  const blocksize = intOf(node, "blocksize", 1);
  if (stringOf(node, "mode", "DCR") === "DCR") {
    return toFirst(node, b.op("SpaceToDepth", [y!], { blocksize: int(blocksize) }));
  }
  const x = node.inputs[0];
  const [channels, height, width] = [1, 2, 3].map((axis) => fixedExtent(b, node, x, axis));
  const apart = b.op("Reshape", [
    y!,
    b.ints([-1, channels! / blocksize ** 2, height!, blocksize, width!, blocksize]),
  ]);
  return toFirst(node, reshapeLike(b, transpose(b, apart, [0, 1, 3, 5, 2, 4]), x));
};
