/**
 * Gradients of normalisations with respect to what is normalised.
 *
 * @module
 */

import {
  floatOf,
  type GraphBuilder,
  int,
  intOf,
  ints,
  type Node,
  type Value,
} from "../../onnx/graph.ts";
import type { Rule } from "../../onnx/backward.ts";
import {
  axisOf,
  constantOf,
  onlyInputs,
  range,
  reduceMean,
  reduceSum,
  reshape,
  reshapeLike,
  scale,
  toFirst,
  unsqueeze,
  unsupported,
} from "../forms.ts";

/** [C] as [C, 1, …], to go with a tensor [N, C, …] of the given rank. */
function perChannel(b: GraphBuilder, x: Value, rank: number): Value {
  return unsqueeze(b, x, range(rank - 2, 1));
}

/** BatchNormalization at inference, an affine map a channel: scale / √(variance + ε). */
export const batchNormalization: Rule = (b, node, [y], needed) => {
  onlyInputs(node, needed, 0);
  if (intOf(node, "training_mode", 0) !== 0) {
    throw unsupported(node, "it is in training mode", "export the model for inference");
  }
  const [x, gamma, , , variance] = node.inputs as [Value, Value, Value, Value, Value];
  const rank = b.shape(x).length;
  const epsilon = floatOf(node, "epsilon", 1e-5);
  const gammas = constantOf(b, gamma);
  const variances = constantOf(b, variance);
  let slope: Value;
  if (gammas && variances) {
    const values = gammas.map((g, c) => g / Math.sqrt(variances[c] + epsilon));
    slope = b.floats([values.length, ...range(rank - 2).map(() => 1)], values);
  } else {
    const deviation = b.op("Sqrt", [b.op("Add", [variance, b.scalar(epsilon)])]);
    slope = perChannel(b, b.op("Div", [gamma, deviation]), rank);
  }
  return toFirst(node, b.op("Mul", [y!, slope]));
};

/**
 * y = x̂ · scale with x̂ = (x − mean) r, r = 1/√(variance + ε) over some axes:
 * x̄ = r (g − mean(g) − x̂ mean(g x̂)), g = ȳ · scale.
 *
 * Source: Ba, Kiros & Hinton, "Layer Normalization" (arXiv 1607.06450); written out in every framework's kernels.
 */
function standardised(
  b: GraphBuilder,
  x: Value,
  g: Value,
  axes: readonly number[],
  epsilon: number,
): Value {
  const centred = b.op("Sub", [x, reduceMean(b, x, axes)]);
  const variance = reduceMean(b, b.op("Mul", [centred, centred]), axes);
  const deviation = b.op("Sqrt", [b.op("Add", [variance, b.scalar(epsilon)])]);
  const hat = b.op("Div", [centred, deviation]);
  const along = b.op("Mul", [hat, reduceMean(b, b.op("Mul", [g, hat]), axes)]);
  const rest = b.op("Sub", [b.op("Sub", [g, reduceMean(b, g, axes)]), along]);
  return b.op("Div", [rest, deviation]);
}

/** LayerNormalization over the axes from `axis` on. */
export const layerNormalization: Rule = (b, node, out, needed) => {
  onlyInputs(node, needed, 0);
  const [x, gamma] = node.inputs as [Value, Value];
  if (out.slice(1).some((value) => value !== null)) {
    throw unsupported(
      node,
      "its mean or deviation is used further on",
      "choose a target layer after it or a method without gradients",
    );
  }
  const rank = b.shape(x).length;
  const first = axisOf(intOf(node, "axis", -1), rank);
  const g = b.op("Mul", [out[0]!, gamma]);
  const epsilon = floatOf(node, "epsilon", 1e-5);
  return toFirst(node, standardised(b, x, g, range(rank - first, first), epsilon));
};

/** InstanceNormalization over the spatial axes. */
export const instanceNormalization: Rule = (b, node, [y], needed) => {
  onlyInputs(node, needed, 0);
  const [x, gamma] = node.inputs as [Value, Value];
  const rank = b.shape(x).length;
  const g = b.op("Mul", [y!, perChannel(b, gamma, rank)]);
  return toFirst(node, standardised(b, x, g, range(rank - 2, 2), floatOf(node, "epsilon", 1e-5)));
};

/** GroupNormalization over each group of channels and all spatial axes. */
export const groupNormalization: Rule = (b, node, [y], needed) => {
  onlyInputs(node, needed, 0);
  const [x, gamma] = node.inputs as [Value, Value];
  const rank = b.shape(x).length;
  const groups = intOf(node, "num_groups", 1);
  // One row a group and image: [N, groups, everything else].
  const grouped = (value: Value) => b.op("Reshape", [value, b.ints([0, groups, -1])]);
  // Until operator set 20 there was one scale a group, since then there is one a channel.
  const scaled = b.graph.opset >= 21
    ? grouped(b.op("Mul", [y!, perChannel(b, gamma, rank)]))
    : b.op("Mul", [grouped(y!), perChannel(b, gamma, 3)]);
  const epsilon = floatOf(node, "epsilon", 1e-5);
  return toFirst(node, reshapeLike(b, standardised(b, grouped(x), scaled, [2], epsilon), x));
};

/**
 * LRN, y = x d^(−β) with d = k + α/size · (sum of x² over neighbouring channels):
 * x̄ = ȳ d^(−β) − 2αβ/size · x · (sum of ȳ x d^(−β−1) over the channels that have this one as neighbour).
 *
 * Source: Krizhevsky, Sutskever & Hinton (NIPS 2012), section 3.3; the derivative follows from the chain rule.
 */
export const lrn: Rule = (b, node, [y]) => {
  const x = node.inputs[0];
  const size = intOf(node, "size", 1);
  const alpha = floatOf(node, "alpha", 1e-4);
  const beta = floatOf(node, "beta", 0.75);
  // ONNX: channels c − ⌊(size−1)/2⌋ … c + ⌈(size−1)/2⌉.
  const before = Math.floor((size - 1) / 2);
  const after = Math.ceil((size - 1) / 2);
  const squares = channelMeans(b, node, b.op("Mul", [x, x]), size, before, after);
  const d = b.op("Add", [scale(b, squares, alpha), b.scalar(floatOf(node, "bias", 1))]);
  const direct = b.op("Mul", [y!, b.op("Pow", [d, b.scalar(-beta)])]);
  const inner = b.op("Div", [b.op("Mul", [direct, x]), d]);
  const neighbours = channelMeans(b, node, inner, size, after, before);
  const through = b.op("Mul", [x, scale(b, neighbours, 2 * alpha * beta)]);
  return toFirst(node, b.op("Sub", [direct, through]));
};

/** Sums over `before + 1 + after` = `size` channels, divided by `size`; channels outside count as 0. */
export function channelMeans(
  b: GraphBuilder,
  node: Node,
  x: Value,
  size: number,
  before: number,
  after: number,
): Value {
  const shape = b.shape(x);
  if (shape.length < 3) {
    throw unsupported(node, "its input has no spatial axes", "give it the shape [N, C, …]");
  }
  const plane = b.op("Reshape", [x, b.ints([0, 1, shape[1] as number, -1])]);
  const means = b.op("AveragePool", [plane], {
    kernel_shape: ints([size, 1]),
    pads: ints([before, 0, after, 0]),
    count_include_pad: int(1),
  });
  return reshape(b, means, shape, x);
}

/** LpNormalization, x / ‖x‖ along an axis: (ȳ − y Σ ȳ y) / ‖x‖ for p = 2. */
export const lpNormalization: Rule = (b, node, [y]) => {
  if (intOf(node, "p", 2) !== 2) {
    throw unsupported(node, "p is not 2", "choose a target layer after it");
  }
  const x = node.inputs[0];
  const result = node.outputs[0];
  const axis = axisOf(intOf(node, "axis", -1), b.shape(x).length);
  const sum = (value: Value) => reduceSum(b, value, [axis]);
  const norm = b.op("Sqrt", [sum(b.op("Mul", [x, x]))]);
  const along = b.op("Mul", [result, sum(b.op("Mul", [y!, result]))]);
  return toFirst(node, b.op("Div", [b.op("Sub", [y!, along]), norm]));
};
