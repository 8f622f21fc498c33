/**
 * Graphs for masks of channels: what each channel contributes to the first product after the target layer, and the rest of the
 * head on sums of contributions.
 *
 * @module
 */

import { floats, sizeOf, type Tensor } from "../base/tensor.ts";
import type { ChannelwiseReach } from "../onnx/channelwise.ts";
import { extract } from "../onnx/extract.ts";
import { type Graph, type GraphBuilder, int, ints, type Node, type Value } from "../onnx/graph.ts";
import { builderOn, inferShapes } from "../onnx/shapes.ts";

/** Names of the tensors that the two graphs exchange. */
export const CONTRIBUTIONS = "emocam_contributions", BASE = "emocam_base", MASKS = "emocam_masks";

/** What the product makes of one sample. */
export interface ProductShape {
  /** The extents after the batch. */
  readonly extents: readonly number[];
  /** Their product F. */
  readonly size: number;
  /** The batch, if the model fixes it. */
  readonly batch?: number;
}

/** The shape of the product's result; `undefined` where it follows only when the model runs. */
export function productShape(head: Graph, { product }: ChannelwiseReach): ProductShape | undefined {
  const [batch, ...extents] = inferShapes(head).get(product.outputs[0])?.shape ?? [];
  if (batch === undefined || !extents.every((extent) => typeof extent === "number")) {
    return undefined;
  }
  return { extents, size: sizeOf(extents), ...(typeof batch === "number" ? { batch } : {}) };
}

/**
 * From the layer [N, C, …] (and bypass tensors) to contributions D [N, C, F] and base [N or 1, F].
 *
 * With f the channel-by-channel part, P the product and P_c its terms that read channel c,
 * P(f(m · A)) = base + Σ_c m_c D_c for masks m of zeros and ones, where base = P(f(0)) and D_c = P_c(f(A)_c − f(0)_c).
 */
export function contributionsGraph(
  head: Graph,
  layer: Value,
  reach: ChannelwiseReach,
  { size }: ProductShape,
): Graph {
  const inputs = head.inputs.map(({ name }) => name);
  const graph = extract(head, { inputs, outputs: [reach.value] }, `${head.name} contributions`);
  const [batch, ...shape] = graph.inputs.find(({ name }) => name === layer)!.shape!;
  const zeros = [typeof batch === "number" ? batch : 1, ...shape as number[]];
  const twins = new Map<Value, Value>([[layer, "zero/layer"]]);
  graph.initializers.set("zero/layer", floats(zeros, new Float32Array(sizeOf(zeros))));
  for (const node of graph.nodes) {
    for (const output of node.outputs) if (output) twins.set(output, `zero/${output}`);
  }
  const twin = (value: Value) => twins.get(value) ?? value;
  graph.nodes.push(...graph.nodes.map((node): Node => ({
    ...node,
    name: `zero/${node.name}`,
    inputs: node.inputs.map(twin),
    outputs: node.outputs.map(twin),
  })));
  const b = builderOn(graph, "emocam_sums");
  const perChannel = perChannelProduct(b, reach, size);
  const rest = twin(reach.value);
  const contributions = perChannel(b.op("Sub", [reach.value, rest]));
  const ones = b.floats([1, reach.channels], new Float32Array(reach.channels).fill(1));
  const sum = b.op("MatMul", [ones, perChannel(rest)]);
  name(b, CONTRIBUTIONS, contributions);
  name(b, BASE, withBias(b, reach, sum, size));
  const float = { type: "float32" } as const;
  graph.outputs = [
    { name: CONTRIBUTIONS, ...float, shape: [batch!, reach.channels, size] },
    { name: BASE, ...float },
  ];
  return graph;
}

/** The product with each channel alone: from what the product reads to [N, C, F]. */
function perChannelProduct(
  b: GraphBuilder,
  { form, weights, channels, product }: ChannelwiseReach,
  size: number,
): (x: Value) => Value {
  if (form.kind === "convolution") {
    const kernels = b.initializer(channelKernels(weights()));
    const attributes = { ...product.attributes, group: int(channels) };
    return (x) =>
      b.op("Reshape", [b.op("Conv", [x, kernels], attributes), b.ints([-1, channels, size])]);
  }
  const { rows, before, after } = form;
  const matrices = b.initializer(channelMatrices(weights(), channels, before, after));
  return (x) => {
    const parts = b.op("Reshape", [x, b.ints([-1, rows, before, channels, after])]);
    const first = b.op("Transpose", [parts], { perm: ints([3, 0, 1, 2, 4]) });
    const read = b.op("Reshape", [first, b.ints([channels, -1, before * after])]);
    const made = b.op("MatMul", [read, matrices]);
    const joined = b.op("Reshape", [made, b.ints([channels, -1, size])]);
    return b.op("Transpose", [joined], { perm: ints([1, 0, 2]) });
  };
}

/** [before · C · after, K] as [C, before · after, K]. */
function channelMatrices(weights: Tensor, channels: number, before: number, after: number): Tensor {
  const outputs = weights.shape[1];
  const shape = [channels, before * after, outputs];
  if (before === 1) return floats(shape, weights.data);
  const data = new Float32Array(weights.data.length);
  const run = after * outputs;
  for (let c = 0, at = 0; c < channels; c++) {
    for (let p = 0; p < before; p++, at += run) {
      const from = (p * channels + c) * run;
      data.set(weights.data.subarray(from, from + run), at);
    }
  }
  return floats(shape, data);
}

/** [K, C, …] as [C · K, 1, …]: the kernels of a convolution of C groups. */
function channelKernels(weights: Tensor): Tensor {
  const [outputs, channels, ...extents] = weights.shape as [number, number, ...number[]];
  const run = sizeOf(extents);
  const data = new Float32Array(weights.data.length);
  for (let c = 0, at = 0; c < channels; c++) {
    for (let k = 0; k < outputs; k++, at += run) {
      const from = (k * channels + c) * run;
      data.set(weights.data.subarray(from, from + run), at);
    }
  }
  return floats([channels * outputs, 1, ...extents], data);
}

function withBias(b: GraphBuilder, reach: ChannelwiseReach, sum: Value, size: number): Value {
  const { bias, form } = reach;
  if (!bias) return b.op("Reshape", [sum, b.ints([-1, size])]);
  const outputs = bias.data.length;
  const runs = size / outputs;
  const [shape, own] = form.kind === "convolution"
    ? [[-1, outputs, runs], [outputs, 1]] as const
    : [[-1, runs, outputs], [outputs]] as const;
  const added = b.op("Add", [b.op("Reshape", [sum, b.ints(shape)]), b.floats(own, bias.data)]);
  return b.op("Reshape", [added, b.ints([-1, size])]);
}

/** From masks [M, C], contributions [C, F] and base [1, F] (and bypass tensors) to the scores [M, K]. */
export function tailGraph(
  head: Graph,
  layer: Value,
  { product, channels }: ChannelwiseReach,
  { extents, size }: ProductShape,
): Graph {
  const made = product.outputs[0];
  const bypass = head.inputs.map(({ name }) => name).filter((name) => name !== layer);
  const outputs = head.outputs.map(({ name }) => name);
  const graph = extract(head, { inputs: [made, ...bypass], outputs }, `${head.name} tail`);
  const [batch] = graph.inputs[0].shape!;
  const float = { type: "float32" } as const;
  graph.inputs = [
    { name: MASKS, ...float, shape: [batch!, channels] },
    { name: CONTRIBUTIONS, ...float, shape: [channels, size] },
    { name: BASE, ...float, shape: [1, size] },
    ...graph.inputs.slice(1),
  ];
  const later = graph.nodes;
  graph.nodes = [];
  const b = builderOn(graph, "emocam_sums");
  const sum = b.op("Add", [b.op("MatMul", [MASKS, CONTRIBUTIONS]), BASE]);
  graph.nodes.push({
    name: "emocam_sums",
    op: "Reshape",
    domain: "",
    inputs: [sum, b.ints([-1, ...extents])],
    outputs: [made],
    attributes: {},
  }, ...later);
  return graph;
}

function name(b: GraphBuilder, output: Value, value: Value): void {
  b.graph.nodes.push({
    name: output,
    op: "Identity",
    domain: "",
    inputs: [value],
    outputs: [output],
    attributes: {},
  });
}
