/**
 * Gradients of pooling.
 *
 * @module
 */

import { type GraphBuilder, int, intOf, ints, type Value } from "../../onnx/graph.ts";
import type { Rule } from "../../onnx/backward.ts";
import { sizeOf } from "../../base/tensor.ts";
import {
  expandLike,
  pad,
  range,
  reduceMax,
  reshapeLike,
  scale,
  spatialExtents,
  strided,
  toFirst,
  whereElseZero,
  type Windows,
  windows,
  zeroWhere,
} from "../forms.ts";
import { scatter } from "./conv.ts";

/** Below everything a network computes, and finite: a shader cannot be relied on for infinities. */
const LOWEST = -3.4028234663852886e38;

/**
 * MaxPool: the cotangent of a window goes to its maximum, to the first in row-major order if there are several (as in
 * PyTorch); an element that is the maximum of several windows gets the sum.
 *
 * Written with masks instead of the operator's `Indices` output, which ONNX Runtime's WebGPU backend does not give: for
 * each place in the window, the elements there (a strided slice) are compared with the maxima; the cotangents that have
 * found their place drop out for the places that follow. One ConvTranspose with one-hot kernels puts all of them back.
 */
export const maxPool: Rule = (b, node, [y]) => {
  const x = node.inputs[0];
  const found = windows(b, node);
  const { input, output, kernel, strides, dilations, before, reach } = found;
  // The input extended (or not) so that every window lies inside it.
  const after = input.map((n, i) =>
    Math.max((output[i] - 1) * strides[i] + reach[i] - before[i] - n, 0)
  );
  const padded = pad(b, x, [0, 0, ...before], [0, 0, ...after], LOWEST);
  const places = sizeOf(kernel);
  const routed: Value[] = [];
  let rest = y!;
  for (let place = 0; place < places; place++) {
    const starts = placeOf(place, kernel).map((at, i) => at * dilations[i]);
    const there = strided(b, padded, starts, output, strides);
    const smaller = b.op("Less", [there, node.outputs[0]]);
    routed.push(zeroWhere(b, smaller, rest));
    if (place + 1 < places) rest = whereElseZero(b, smaller, rest);
  }
  // Batch and channels become one axis, so that the places can be channels of an ungrouped product.
  const planes = routed.map((value) => asPlanes(b, value, output));
  const stacked = planes.length === 1 ? planes[0] : b.op("Concat", planes, { axis: int(1) });
  const oneHot = new Float32Array(places * places);
  for (let place = 0; place < places; place++) oneHot[place * places + place] = 1;
  const kernels = b.floats([places, 1, ...kernel], oneHot);
  return toFirst(node, reshapeLike(b, scatter(b, stacked, kernels, found, 1), x));
};

/** Position in the window of the n-th place in row-major order. */
function placeOf(n: number, kernel: readonly number[]): number[] {
  const position = kernel.map(() => 0);
  for (let axis = kernel.length - 1; axis >= 0; axis--) {
    position[axis] = n % kernel[axis];
    n = Math.floor(n / kernel[axis]);
  }
  return position;
}

/** [N, C, …] as [N·C, 1, …]. */
function asPlanes(b: GraphBuilder, x: Value, spatial: readonly number[]): Value {
  return b.op("Reshape", [x, b.ints([-1, 1, ...spatial])]);
}

/** AveragePool: a window's cotangent, divided by the number of elements it averaged, goes to each of them. */
export const averagePool: Rule = (b, node, [y]) => {
  const x = node.inputs[0];
  const found = windows(b, node);
  const { input, output, kernel } = found;
  const counts = windowCounts(found, intOf(node, "count_include_pad", 0) !== 0);
  const uniform = counts.every((count) => count === counts[0]);
  const weighted = uniform ? y! : b.op("Mul", [
    y!,
    b.floats([1, 1, ...output], Float32Array.from(counts, (count) => 1 / count)),
  ]);
  const factor = uniform ? 1 / counts[0] : 1;
  const spread = shifted(b, weighted, found, factor);
  if (spread) return toFirst(node, spread);
  if (output.every((n) => n === 1) && kernel.every((k, i) => k === input[i])) {
    return toFirst(node, expandLike(b, scale(b, weighted, factor), x));
  }
  const ones = b.floats([1, 1, ...kernel], new Float32Array(sizeOf(kernel)).fill(factor));
  const planes = asPlanes(b, weighted, output);
  return toFirst(node, reshapeLike(b, scatter(b, planes, ones, found, 1), x));
};

/**
 * With stride 1 the sum over windows that hold an element is itself a sum over a window: an AveragePool of the cotangents,
 * padded so that it has the input's extents. Works for any number of axes, where ConvTranspose has two on WebGPU.
 */
function shifted(
  b: GraphBuilder,
  y: Value,
  { input, output, kernel, strides, dilations, before }: Windows,
  factor: number,
): Value | undefined {
  const start = kernel.map((k, i) => k - 1 - before[i]);
  const end = input.map((n, i) => n + kernel[i] - 1 - output[i] - start[i]);
  const fits = [...start, ...end].every((n, i) => n >= 0 && n < kernel[i % kernel.length]);
  if (!fits || [...strides, ...dilations].some((n) => n !== 1)) return undefined;
  const mean = b.op("AveragePool", [y], {
    kernel_shape: ints(kernel),
    pads: ints([...start, ...end]),
    count_include_pad: int(1),
  });
  return scale(b, mean, sizeOf(kernel) * factor);
}

/**
 * How many elements each window averages, row-major over the output.
 *
 * Elements of the stated padding count if `includePad`; what a window covers beyond it (`ceil_mode`) never does.
 */
function windowCounts(found: Windows, includePad: boolean): number[] {
  const { input, output, kernel, strides, dilations, before, after } = found;
  const perAxis = output.map((n, i) =>
    range(n).map((at) => {
      const start = at * strides[i] - before[i];
      const low = includePad ? -before[i] : 0;
      const high = includePad ? input[i] + after[i] : input[i];
      const inside = range(kernel[i]).map((k) => start + k * dilations[i])
        .filter((position) => position >= low && position < high);
      return inside.length;
    })
  );
  return perAxis.reduce<number[]>(
    (products, axis) => products.flatMap((left) => axis.map((right) => left * right)),
    [1],
  );
}

/** GlobalAveragePool: every element of a plane gets the plane's cotangent divided by the plane's size. */
export const globalAveragePool: Rule = (b, node, [y]) => {
  const x = node.inputs[0];
  const size = sizeOf(spatialExtents(b, node, x));
  return toFirst(node, expandLike(b, scale(b, y!, 1 / size), x));
};

/** GlobalMaxPool: the plane's cotangent goes to its first maximum in row-major order, as in PyTorch. */
export const globalMaxPool: Rule = (b, node, [y]) => {
  const x = node.inputs[0];
  const spatial = spatialExtents(b, node, x);
  const axes = range(spatial.length, 2);
  const size = sizeOf(spatial);
  // A number for each place, larger for earlier ones (exact up to 2^24 places): the largest among the maxima is the first.
  const order = b.floats([1, 1, ...spatial], Float32Array.from(range(size), (i) => size - i));
  const candidates = zeroWhere(b, b.op("Less", [x, node.outputs[0]]), order);
  const later = b.op("Less", [candidates, reduceMax(b, candidates, axes)]);
  return toFirst(node, zeroWhere(b, later, y!));
};
