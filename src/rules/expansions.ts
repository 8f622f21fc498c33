/**
 * Operators written out in simpler ones, for tables of rules that would rather know few operators well.
 *
 * @module
 */

import { floatOf, type GraphBuilder, intOf, type Node, type Value } from "../onnx/graph.ts";
import {
  axisOf,
  range,
  reduceMean,
  reduceSum,
  reshapeLike,
  scale,
  unsqueeze,
  unsupported,
} from "./forms.ts";
import { channelMeans } from "./gradient/normalisation.ts";
import { keptAxes, reducedAxes } from "./gradient/reduce.ts";

/** Writes an operator's first output from its first input. */
export type Expansion = (b: GraphBuilder, node: Node, x: Value) => Value;

/** (x − mean) / √(variance + ε) over axes. */
function standardised(
  b: GraphBuilder,
  x: Value,
  axes: readonly number[],
  epsilon: number,
): Value {
  const centred = b.op("Sub", [x, reduceMean(b, x, axes)]);
  const variance = reduceMean(b, b.op("Mul", [centred, centred]), axes);
  return b.op("Div", [centred, b.op("Sqrt", [b.op("Add", [variance, b.scalar(epsilon)])])]);
}

/** x · scale + bias, where they are given. */
function affine(b: GraphBuilder, x: Value, factor: Value, bias: Value | undefined): Value {
  const scaled = b.op("Mul", [x, factor]);
  return bias ? b.op("Add", [scaled, bias]) : scaled;
}

function perChannel(b: GraphBuilder, x: Value | undefined, rank: number): Value | undefined {
  return x ? unsqueeze(b, x, range(rank - 2, 1)) : undefined;
}

/** LayerNormalization. */
export function layerNormalization(b: GraphBuilder, node: Node, x: Value): Value {
  const rank = b.shape(x).length;
  const first = axisOf(intOf(node, "axis", -1), rank);
  const hat = standardised(b, x, range(rank - first, first), floatOf(node, "epsilon", 1e-5));
  return affine(b, hat, node.inputs[1], node.inputs[2]);
}

/** InstanceNormalization. */
export function instanceNormalization(b: GraphBuilder, node: Node, x: Value): Value {
  const rank = b.shape(x).length;
  const hat = standardised(b, x, range(rank - 2, 2), floatOf(node, "epsilon", 1e-5));
  const [, factor, bias] = node.inputs;
  return affine(b, hat, perChannel(b, factor, rank)!, perChannel(b, bias, rank));
}

/** GroupNormalization; its scale is one a group until operator set 20, one a channel since. */
export function groupNormalization(b: GraphBuilder, node: Node, x: Value): Value {
  const rank = b.shape(x).length;
  const groups = b.op("Reshape", [x, b.ints([0, intOf(node, "num_groups", 1), -1])]);
  const hat = standardised(b, groups, [2], floatOf(node, "epsilon", 1e-5));
  const [, factor, bias] = node.inputs;
  if (b.graph.opset < 21) {
    const own = affine(b, hat, perChannel(b, factor, 3)!, perChannel(b, bias, 3));
    return reshapeLike(b, own, x);
  }
  const whole = reshapeLike(b, hat, x);
  return affine(b, whole, perChannel(b, factor, rank)!, perChannel(b, bias, rank));
}

/** LRN, x (k + α/size Σ x²)^(−β). */
export function lrn(b: GraphBuilder, node: Node, x: Value): Value {
  const size = intOf(node, "size", 1);
  const before = Math.floor((size - 1) / 2);
  const squares = channelMeans(b, node, b.op("Mul", [x, x]), size, before, size - 1 - before);
  const d = b.op("Add", [
    scale(b, squares, floatOf(node, "alpha", 1e-4)),
    b.scalar(floatOf(node, "bias", 1)),
  ]);
  return b.op("Mul", [x, b.op("Pow", [d, b.scalar(-floatOf(node, "beta", 0.75))])]);
}

/** Less than every norm whose square float32 tells from 0. */
const LEAST_NORM = 1e-23;

/** LpNormalization with p = 2; zeros stay zeros, as the operator's implementations have it. */
export function lpNormalization(b: GraphBuilder, node: Node, x: Value): Value {
  if (intOf(node, "p", 2) !== 2) {
    throw unsupported(node, "p is not 2", "choose a target layer after it");
  }
  const axis = axisOf(intOf(node, "axis", -1), b.shape(x).length);
  const squares = reduceSum(b, b.op("Mul", [x, x]), [axis]);
  const norm = b.op("Max", [b.op("Sqrt", [squares]), b.scalar(LEAST_NORM)]);
  return b.op("Div", [x, norm]);
}

/** ReduceL1. */
export function reduceL1(b: GraphBuilder, node: Node, x: Value): Value {
  return reduceSum(b, b.op("Abs", [x]), reducedAxes(b, node), keptAxes(node));
}

/** ReduceL2. */
export function reduceL2(b: GraphBuilder, node: Node, x: Value): Value {
  const squares = b.op("Mul", [x, x]);
  return b.op("Sqrt", [reduceSum(b, squares, reducedAxes(b, node), keptAxes(node))]);
}
