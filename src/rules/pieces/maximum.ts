/**
 * The elements that are the largest at a point, taken from another one.
 *
 * @module
 */

import { sizeOf } from "../../base/tensor.ts";
import type { GraphBuilder, Node, Value } from "../../onnx/graph.ts";
import {
  pad,
  range,
  reduceMax,
  reduceSum,
  spatialExtents,
  strided,
  whereElseZero,
  windows,
} from "../forms.ts";

/** Below everything a network computes, and finite. */
const LOWEST = -3.4028234663852886e38;

/** MaxPool: of each window the element that is its first maximum, in row-major order, at the point. */
export function firstOfWindow(b: GraphBuilder, node: Node, [moved]: readonly Value[]): Value {
  const { input, output, kernel, strides, dilations, before, reach } = windows(b, node);
  const after = input.map((n, i) =>
    Math.max((output[i] - 1) * strides[i] + reach[i] - before[i] - n, 0)
  );
  const surrounded = (x: Value, value: number) =>
    pad(b, x, [0, 0, ...before], [0, 0, ...after], value);
  const there = surrounded(node.inputs[0], LOWEST), elsewhere = surrounded(moved, 0);
  let result: Value | undefined;
  // From the last place to the first, so that the first of several maxima stays.
  for (let place = sizeOf(kernel) - 1; place >= 0; place--) {
    const starts = placeOf(place, kernel).map((at, i) => at * dilations[i]);
    const element = strided(b, elsewhere, starts, output, strides);
    const smaller = b.op("Less", [strided(b, there, starts, output, strides), node.outputs[0]]);
    result = result === undefined ? element : b.op("Where", [smaller, result, element]);
  }
  return result!;
}

/** Position in a window of the n-th place in row-major order. */
function placeOf(n: number, kernel: readonly number[]): number[] {
  const position = kernel.map(() => 0);
  for (let axis = kernel.length - 1, rest = n; axis >= 0; axis--) {
    position[axis] = rest % kernel[axis];
    rest = Math.floor(rest / kernel[axis]);
  }
  return position;
}

/** GlobalMaxPool: of each plane the element that is its first maximum, in row-major order, at the point. */
export function firstOfPlane(b: GraphBuilder, node: Node, [moved]: readonly Value[]): Value {
  const [at] = node.inputs;
  const spatial = spatialExtents(b, node, at);
  const size = sizeOf(spatial);
  const axes = range(spatial.length, 2);
  // Larger for earlier places, at least 1, and 0 where there is no maximum.
  const order = b.floats([1, 1, ...spatial], Float32Array.from(range(size), (i) => size - i));
  const smaller = b.op("Less", [at, node.outputs[0]]);
  const candidates = b.op("Where", [smaller, b.scalar(0), order]);
  const first = b.op("Equal", [candidates, reduceMax(b, candidates, axes)]);
  return reduceSum(b, whereElseZero(b, first, moved), axes);
}
