/**
 * Gradients of resizing.
 *
 * @module
 */

import { floatOf, type GraphBuilder, intOf, type Node, stringOf } from "../../onnx/graph.ts";
import type { Rule } from "../../onnx/backward.ts";
import { constantOf, fixedExtent, range, toFirst, transpose, unsupported } from "../forms.ts";

/**
 * Resize and Upsample, nearest or linear, along axes of known extent: resizing is a matrix for each axis, and its transpose
 * takes the cotangent back.
 *
 * Source: ONNX operator specification, Resize. Cubic, cropping (`tf_crop_and_resize`) and antialiasing are refused.
 */
export const resize: Rule = (b, node, [y]) => {
  const x = node.inputs[0];
  const shape = b.shape(x);
  const target = b.shape(node.outputs[0]);
  const scales = scalesOf(b, node);
  let result = y!;
  shape.forEach((dim, axis) => {
    if (dim === target[axis] && (scales?.[axis] ?? 1) === 1) return;
    const from = fixedExtent(b, node, x, axis);
    const to = fixedExtent(b, node, node.outputs[0], axis);
    const matrix = weights(node, from, to, scales?.[axis] ?? to / from);
    const others = range(shape.length).filter((i) => i !== axis);
    const last = transpose(b, result, [...others, axis]);
    const back = range(shape.length).map((i) => i === axis ? others.length : others.indexOf(i));
    result = transpose(b, b.op("MatMul", [last, b.floats([to, from], matrix)]), back);
  });
  return toFirst(node, result);
};

/** The stated scale of each axis; `undefined` where sizes are stated instead. */
function scalesOf(b: GraphBuilder, node: Node): number[] | undefined {
  const given = node.op === "Upsample" || b.graph.opset < 11 ? node.inputs[1] : node.inputs[2];
  const found = constantOf(b, given);
  if (!found || found.length === 0) return undefined;
  const axes = node.attributes["axes"];
  if (axes?.kind !== "ints") return found;
  const rank = b.shape(node.inputs[0]).length;
  const all = range(rank).map(() => 1);
  axes.value.forEach((axis, i) => all[axis < 0 ? axis + rank : axis] = found[i]);
  return all;
}

/** Row-major [to, from]: what each element of the result takes from each element of the input. */
function weights(node: Node, from: number, to: number, scale: number): Float32Array {
  const matrix = new Float32Array(to * from);
  const mode = stringOf(node, "mode", "nearest");
  const antialias = intOf(node, "antialias", 0) !== 0;
  if (
    mode !== "nearest" && mode !== "linear" || antialias ||
    floatOf(node, "extrapolation_value", 0) !== 0
  ) {
    throw unsupported(
      node,
      `its mode is ${mode}${antialias ? " with antialiasing" : ""}`,
      "choose a target layer after it",
    );
  }
  const position = coordinates(node, from, to, scale);
  for (let i = 0; i < to; i++) {
    const at = position(i);
    if (mode === "nearest") {
      const index = Math.min(Math.max(nearest(node, at), 0), from - 1);
      matrix[i * from + index] = 1;
      continue;
    }
    const inside = Math.min(Math.max(at, 0), from - 1);
    const low = Math.floor(inside);
    const high = Math.min(low + 1, from - 1);
    matrix[i * from + low] += 1 - (inside - low);
    matrix[i * from + high] += inside - low;
  }
  return matrix;
}

/** Where in the input an element of the result lies. */
function coordinates(node: Node, from: number, to: number, scale: number): (i: number) => number {
  // Upsample, and Resize of operator set 10, knew only this one.
  const otherwise = node.op === "Upsample" || node.inputs.length === 2
    ? "asymmetric"
    : "half_pixel";
  const mode = stringOf(node, "coordinate_transformation_mode", otherwise);
  switch (mode) {
    case "asymmetric":
      return (i) => i / scale;
    case "half_pixel":
      return (i) => (i + 0.5) / scale - 0.5;
    case "pytorch_half_pixel":
      return (i) => to > 1 ? (i + 0.5) / scale - 0.5 : 0;
    case "align_corners":
      return (i) => to > 1 ? i * (from - 1) / (to - 1) : 0;
    default:
      throw unsupported(node, `its coordinates are ${mode}`, "choose a target layer after it");
  }
}

function nearest(node: Node, at: number): number {
  const old = node.op === "Upsample" || node.inputs.length === 2;
  switch (stringOf(node, "nearest_mode", old ? "floor" : "round_prefer_floor")) {
    case "floor":
      return Math.floor(at);
    case "ceil":
      return Math.ceil(at);
    case "round_prefer_ceil":
      return Math.floor(at + 0.5);
    default:
      return Math.ceil(at - 0.5);
  }
}
