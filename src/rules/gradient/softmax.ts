/**
 * Gradients of Softmax and LogSoftmax.
 *
 * @module
 */

import { type GraphBuilder, intOf, type Node, type Value } from "../../onnx/graph.ts";
import type { Rule } from "../../onnx/backward.ts";
import { axisOf, range, reduceMax, reduceSum, toFirst } from "../forms.ts";

/**
 * The axes over which a softmax adds up to 1: one axis since operator set 13 (by default the last), before that all from
 * `axis` on (by default 1), because the operator flattened its input to a matrix.
 */
export function normalisedAxes(b: GraphBuilder, node: Node): number[] {
  const rank = b.shape(node.inputs[0]).length;
  if (b.graph.opset >= 13) return [axisOf(intOf(node, "axis", -1), rank)];
  const first = axisOf(intOf(node, "axis", 1), rank);
  return range(rank - first, first);
}

/**
 * Softmax: y (ȳ − Σ ȳ y).
 *
 * Any number may be taken off all ȳ, since Σ y = 1. That of the largest y is: else the gradient of a probability near 1, y (1 − y),
 * would be lost in the rounding of 1 − y, and with it the shape of every map that explains such a probability.
 */
export const softmax: Rule = (b, node, [y]) => {
  const result = node.outputs[0];
  const axes = normalisedAxes(b, node);
  const less = b.op("Less", [result, reduceMax(b, result, axes)]);
  const there = b.op("Where", [less, b.scalar(0), b.scalar(1)]);
  const own = b.op("Div", [
    reduceSum(b, b.op("Mul", [y!, there]), axes),
    reduceSum(b, there, axes),
  ]);
  const rest = b.op("Sub", [y!, own]);
  const total = reduceSum(b, b.op("Mul", [rest, result]), axes);
  return toFirst(node, b.op("Mul", [result, b.op("Sub", [rest, total])]));
};

/** LogSoftmax: ȳ − eʸ Σ ȳ. */
export const logSoftmax: Rule = (b, node, [y]) => {
  const total = reduceSum(b, y!, normalisedAxes(b, node));
  const probabilities: Value = b.op("Exp", [node.outputs[0]]);
  return toFirst(node, b.op("Sub", [y!, b.op("Mul", [probabilities, total])]));
};
