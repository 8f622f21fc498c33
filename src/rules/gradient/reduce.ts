/**
 * Gradients of reductions.
 *
 * @module
 */

import { type GraphBuilder, intOf, intsOf, type Node, type Value } from "../../onnx/graph.ts";
import type { Rule } from "../../onnx/backward.ts";
import {
  axisOf,
  constantOf,
  expandLike,
  fixedExtent,
  range,
  reduceSum,
  scale,
  toFirst,
  unsqueeze,
  unsupported,
  zeroWhere,
} from "../forms.ts";

/** The reduced axes, ascending, whether they are an attribute or an input; all where none is stated. */
export function reducedAxes(b: GraphBuilder, node: Node): number[] {
  const rank = b.shape(node.inputs[0]).length;
  const stated = intsOf(node, "axes") ?? constantOf(b, node.inputs[1]);
  if (!stated && node.inputs[1]) {
    throw unsupported(node, "its axes are computed", "simplify the model (onnxsim)");
  }
  if (!stated || stated.length === 0) {
    return intOf(node, "noop_with_empty_axes", 0) !== 0 ? [] : range(rank);
  }
  return stated.map((axis) => axisOf(axis, rank)).sort((a, c) => a - c);
}

/** Whether the reduced axes stay, with extent 1. */
export function keptAxes(node: Node): boolean {
  return intOf(node, "keepdims", 1) !== 0;
}

/** A value of the reduction's result, with the reduced axes as axes of extent 1. */
function kept(b: GraphBuilder, node: Node, value: Value, axes: readonly number[]): Value {
  return keptAxes(node) ? value : unsqueeze(b, value, axes);
}

/** A rule from what each element's share of the (kept) cotangent is. */
function shared(
  share: (
    b: GraphBuilder,
    parts: { node: Node; x: Value; y: () => Value; cotangent: Value; axes: number[] },
  ) => Value,
): Rule {
  return (b, node, [cotangent]) => {
    const x = node.inputs[0];
    const axes = reducedAxes(b, node);
    const y = () => kept(b, node, node.outputs[0], axes);
    const g = kept(b, node, cotangent!, axes);
    return toFirst(node, expandLike(b, share(b, { node, x, y, cotangent: g, axes }), x));
  };
}

/** ReduceSum: the cotangent for every element. */
export const reduceSumRule = shared((_b, { cotangent }) => cotangent);

/** ReduceMean: the cotangent over the number of elements. */
export const reduceMeanRule = shared((b, { node, x, cotangent, axes }) => {
  const count = axes.reduce((product, axis) => product * fixedExtent(b, node, x, axis), 1);
  return scale(b, cotangent, 1 / count);
});

/** ReduceSumSquare: 2 x. */
export const reduceSumSquare = shared((b, { x, cotangent }) =>
  b.op("Mul", [scale(b, cotangent, 2), x])
);

/** ReduceL1: the sign of x. */
export const reduceL1 = shared((b, { x, cotangent }) =>
  b.op("Mul", [cotangent, b.op("Sign", [x])])
);

/** ReduceL2: x / y. */
export const reduceL2 = shared((b, { x, y, cotangent }) =>
  b.op("Mul", [b.op("Div", [cotangent, y()]), x])
);

/** ReduceLogSumExp: the softmax, e^(x − y). */
export const reduceLogSumExp = shared((b, { x, y, cotangent }) =>
  b.op("Mul", [cotangent, b.op("Exp", [b.op("Sub", [x, y()])])])
);

/** ReduceMax and ReduceMin: equal parts for all elements that reach it (PyTorch's `amax` and `amin`). */
function extremum(further: "Less" | "Greater"): Rule {
  return shared((b, { x, y, cotangent, axes }) => {
    const lost = b.op(further, [x, y()]);
    const reached = zeroWhere(b, lost, b.scalar(1));
    return zeroWhere(b, lost, b.op("Div", [cotangent, reduceSum(b, reached, axes)]));
  });
}

/** ReduceMax. */
export const reduceMaxRule = extremum("Less");
/** ReduceMin. */
export const reduceMinRule = extremum("Greater");
