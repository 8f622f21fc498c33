/**
 * Folds batch normalization into the convolution before it.
 *
 * y = scale · (W*x + c - mean) / σ + shift = (g W)*x + (shift + (c - mean) g) with g = scale / σ and c the convolution's own bias.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import { floats, type Tensor } from "../base/tensor.ts";
import { checkGraph } from "./check.ts";
import { consumers, copyGraph, floatOf, type Graph, intOf, type Node, producers } from "./graph.ts";
import { prune } from "./depends_on.ts";

/**
 * Where epsilon is added. `onnx` (also PyTorch, lightnet): σ = √(variance + epsilon), with the node's epsilon. `darknet`:
 * σ = √variance + 0.000001, whatever the node says.
 */
export type NormRule = "darknet" | "onnx";

/** Darknet's epsilon, outside the root (`normalize_cpu`). */
const DARKNET_EPSILON = 0.000001;

/**
 * A graph in which every `Conv → BatchNormalization` is one `Conv`; the original stays as it is. Products and sums are in
 * double, rounded once to float32.
 *
 * A normalization stays where the convolution's result is read by anything else or is an output, where a parameter is not a
 * float32 constant, or where the node is in training mode.
 *
 * @throws {ModelError} when a folded weight is not finite although all parameters are (a variance near 0, or negative).
 */
export function foldBatchNorms(source: Graph, rule: NormRule): Graph {
  const graph = copyGraph(source);
  const made = producers(graph);
  const readers = consumers(graph);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const folded = new Set<Node>();
  for (const norm of graph.nodes) {
    const conv = norm.op === "BatchNormalization" && norm.domain === ""
      ? made.get(norm.inputs[0])
      : undefined;
    if (conv?.op !== "Conv" || conv.domain !== "" || outputs.has(conv.outputs[0])) continue;
    if (readers.get(conv.outputs[0])?.length !== 1) continue;
    const parameters = parametersOf(graph, conv, norm);
    if (!parameters) continue;
    const { weights, bias } = fold(parameters, rule, norm);
    const names = { weights: fresh(graph, `${norm.name}/weights`), bias: "" };
    graph.initializers.set(names.weights, weights);
    names.bias = fresh(graph, `${norm.name}/bias`);
    graph.initializers.set(names.bias, bias);
    graph.stated.delete(conv.outputs[0]);
    conv.inputs = [conv.inputs[0], names.weights, names.bias];
    conv.outputs = [norm.outputs[0]];
    folded.add(norm);
  }
  graph.nodes = graph.nodes.filter((node) => !folded.has(node));
  const result = prune(graph);
  checkGraph(result);
  return result;
}

interface Parameters {
  /** [n, c/groups, …]. */
  readonly weights: Tensor;
  /** The convolution's own bias [n]. */
  readonly bias?: Tensor;
  readonly scale: Tensor;
  readonly shift: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** The constants of both nodes; undefined where the normalization is another, or one of them is not a float32 constant. */
function parametersOf(graph: Graph, conv: Node, norm: Node): Parameters | undefined {
  const used = norm.outputs.filter((output) => output !== "");
  if (used.length !== 1 || intOf(norm, "training_mode", 0) !== 0) return undefined;
  if (intOf(norm, "spatial", 1) !== 1) return undefined;
  const constant = (name: string | undefined): Tensor | undefined => {
    const value = name ? graph.initializers.get(name) : undefined;
    return value?.type === "float32" ? value : undefined;
  };
  const weights = constant(conv.inputs[1]), bias = constant(conv.inputs[2]);
  if (!weights || (conv.inputs[2] && !bias)) return undefined;
  const [scale, shift, mean, variance] = norm.inputs.slice(1, 5).map(constant);
  if (!scale || !shift || !mean || !variance) return undefined;
  const filters = weights.shape[0];
  const vectors = [scale, shift, mean, variance, ...bias ? [bias] : []];
  if (vectors.some(({ data }) => data.length !== filters)) return undefined;
  return { weights, scale, shift, mean, variance, ...bias ? { bias } : {} };
}

function fold(parameters: Parameters, rule: NormRule, norm: Node) {
  const { weights, bias, scale, shift, mean, variance } = parameters;
  const filters = scale.data.length;
  const perFilter = weights.data.length / filters;
  const epsilon = floatOf(norm, "epsilon", 1e-5);
  const newWeights = new Float32Array(weights.data.length);
  const newBias = new Float32Array(filters);
  for (let k = 0; k < filters; k++) {
    const v = variance.data[k];
    const sigma = rule === "darknet" ? Math.sqrt(v) + DARKNET_EPSILON : Math.sqrt(v + epsilon);
    const g = scale.data[k] / sigma;
    let finite = true;
    for (let i = k * perFilter; i < (k + 1) * perFilter; i++) {
      newWeights[i] = weights.data[i] * g;
      finite &&= Number.isFinite(newWeights[i]) || !Number.isFinite(weights.data[i]);
    }
    newBias[k] = shift.data[k] + ((bias?.data[k] ?? 0) - mean.data[k]) * g;
    if (!finite || !Number.isFinite(newBias[k])) {
      throw new ModelError(
        `Cannot fold batch normalization ${
          JSON.stringify(norm.name)
        }: filter ${k} has variance ${v} and scale ${
          scale.data[k]
        }, which gives weights beyond float32; the model is damaged`,
      );
    }
  }
  return { weights: floats(weights.shape, newWeights), bias: floats([filters], newBias) };
}

/** A name that no initializer, input or node's output has. */
function fresh(graph: Graph, wanted: string): string {
  let name = wanted;
  const taken = (value: string) =>
    graph.initializers.has(value) || graph.inputs.some((input) => input.name === value) ||
    graph.nodes.some((node) => node.outputs.includes(value));
  while (taken(name)) name += "'";
  return name;
}
