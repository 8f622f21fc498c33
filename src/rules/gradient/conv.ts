/**
 * Gradients of convolutions with respect to their input. Both directions use the forward pass's own weights: what is
 * `[M, C/group, k…]` for Conv is, with the roles of its channels exchanged, what ConvTranspose asks for.
 *
 * @module
 */

import { type GraphBuilder, int, intOf, ints, type Node, type Value } from "../../onnx/graph.ts";
import type { Rule } from "../../onnx/backward.ts";
import {
  fixedExtent,
  onlyInputs,
  pad,
  range,
  reduceSum,
  reshape,
  slice,
  spatialExtents,
  toFirst,
  unsupported,
  type Windows,
  windows,
} from "../forms.ts";

/**
 * Conv: x̄ = ConvTranspose(ȳ, W), at the extents of x.
 *
 * A stride forgets how far the input went beyond the last window; the rest is known here and becomes output padding, as in
 * PyTorch's `conv2d_input`.
 */
export const conv: Rule = (b, node, [y], needed) => {
  onlyInputs(node, needed, 0);
  const weight = node.inputs[1];
  const kernel = b.shape(weight).slice(2).map((_, i) => fixedExtent(b, node, weight, i + 2));
  const found = windows(b, node, kernel);
  return toFirst(node, scatter(b, y!, weight, found, intOf(node, "group", 1)));
};

/**
 * Adds kernels up at the places of their windows: ConvTranspose whose result has exactly the extents of the windows' input.
 *
 * @param y [N, M, output…]
 * @param weight [M, C/group, kernel…]
 * @returns [N, C, input…]
 */
export function scatter(
  b: GraphBuilder,
  y: Value,
  weight: Value,
  { input, output, kernel, strides, dilations, before, reach }: Windows,
  group: number,
): Value {
  // Where the windows end, in coordinates of the unpadded input; beyond it nothing is added.
  const covered = output.map((n, i) => (n - 1) * strides[i] + reach[i] - before[i]);
  const after = covered.map((end, i) => Math.max(end - input[i], 0));
  const missing = covered.map((end, i) => Math.max(input[i] - end, 0));
  // Output padding has to be smaller than the stride or the dilation; beyond that (windows that skip a border) zeros follow.
  const outputPadding = missing.map((n, i) => Math.min(n, strides[i] - 1));
  const [first, ...perGroup] = b.shape(weight);
  const multiplier = typeof first === "number" ? first / group : NaN;
  // ONNX Runtime 1.30's WebGPU backend mixes up the channels of a grouped ConvTranspose with one output and several
  // inputs a group. One group a channel of y computes the same parts, which are then added.
  const apart = group > 1 && perGroup[0] === 1 && multiplier > 1;
  let result = b.op("ConvTranspose", [y, weight], {
    group: int(apart ? group * multiplier : group),
    kernel_shape: ints(kernel),
    strides: ints(strides),
    dilations: ints(dilations),
    pads: ints([...before, ...after]),
    output_padding: ints(outputPadding),
  });
  if (apart) {
    const spatial = input.map((n, i) => n - missing[i] + outputPadding[i]);
    const [batch] = b.shape(y);
    const parts = reshape(b, result, [batch!, group, multiplier, ...spatial]);
    result = reduceSum(b, parts, [2], false);
  }
  const rest = missing.map((n, i) => n - outputPadding[i]);
  return pad(b, result, [0, 0, ...rest.map(() => 0)], [0, 0, ...rest]);
}

/** ConvTranspose: x̄ = Conv(ȳ, W). */
export const convTranspose: Rule = (b, node, [y], needed) => {
  onlyInputs(node, needed, 0);
  const [x, weight] = node.inputs as [Value, Value];
  const kernel = b.shape(weight).slice(2).map((_, i) => fixedExtent(b, node, weight, i + 2));
  const input = spatialExtents(b, node, x);
  const output = spatialExtents(b, node, y!);
  const strides = [...attributeInts(node, "strides") ?? kernel.map(() => 1)];
  const dilations = [...attributeInts(node, "dilations") ?? kernel.map(() => 1)];
  const reach = kernel.map((k, i) => (k - 1) * dilations[i] + 1);
  const before = paddingBefore(node, input, output, strides, reach);
  // Windows start at i·stride − before: what lies beyond the last one is cut off, what is missing there is padded.
  const need = input.map((n, i) => (n - 1) * strides[i] + reach[i] - before[i]);
  const after = need.map((n, i) => Math.max(n - output[i], 0));
  const axes = range(need.length, 2).filter((axis) => need[axis - 2] < output[axis - 2]);
  const cut = axes.length === 0
    ? y!
    : slice(b, y!, axes, axes.map(() => 0), axes.map((axis) => need[axis - 2]));
  return toFirst(
    node,
    b.op("Conv", [cut, weight], {
      group: int(intOf(node, "group", 1)),
      kernel_shape: ints(kernel),
      strides: ints(strides),
      dilations: ints(dilations),
      pads: ints([...before, ...after]),
    }),
  );
};

function attributeInts(node: Node, name: string): readonly number[] | undefined {
  const attribute = node.attributes[name];
  return attribute?.kind === "ints" ? attribute.value : undefined;
}

/** How much ConvTranspose cuts off at the start of each axis. */
function paddingBefore(
  node: Node,
  input: readonly number[],
  output: readonly number[],
  strides: readonly number[],
  reach: readonly number[],
): number[] {
  const auto = node.attributes["auto_pad"];
  const mode = auto?.kind === "string" ? auto.value : "NOTSET";
  const stated = attributeInts(node, "pads");
  if (mode === "VALID") return input.map(() => 0);
  if (mode === "NOTSET" && !node.attributes["output_shape"]) {
    return input.map((_, i) => stated?.[i] ?? 0);
  }
  const extra = attributeInts(node, "output_padding");
  return input.map((n, i) => {
    const total = (n - 1) * strides[i] + (extra?.[i] ?? 0) + reach[i] - output[i];
    if (total % 2 !== 0 || total < 0) {
      // Which side gets the odd element differs between versions of the operator and of its implementations.
      throw unsupported(
        node,
        `padding by output_shape or auto_pad that cannot be shared evenly (${total})`,
        "export the model with explicit pads",
      );
    }
    return total / 2;
  });
}
