/**
 * Models with their parameters re-drawn, for the parameter-randomisation test.
 *
 * @module
 */

import { type Rng, shuffle } from "../base/rng.ts";
import { type AnyTensor, ELEMENT_ARRAYS } from "../base/tensor.ts";
import { type Graph, type Node, producers, type Value } from "./graph.ts";

/** Operators whose parameters are learned, with the inputs that hold them. */
const LEARNED: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [1, 2],
  MatMul: [0, 1],
  BatchNormalization: [1, 2, 3, 4],
  InstanceNormalization: [1, 2],
  GroupNormalization: [1, 2],
  LayerNormalization: [1, 2],
  PRelu: [1],
};

/** The nodes with learned parameters, from the output to the input: the order of the cascade. */
export function learnedNodes(graph: Graph): Node[] {
  const made = producers(graph);
  return graph.nodes.filter((node) => weightsOf(graph, made, node).length > 0).reverse();
}

/**
 * Re-draws the parameters of the first `count` learned layers from the output (all by default): each tensor's values are
 * put in random order, which is drawing without replacement from the tensor's own values. So the scale of every layer, and
 * integer storage, stay what they were; nothing that was learned does.
 *
 * Source: Adebayo et al., "Sanity Checks for Saliency Maps" (NeurIPS 2018, arXiv 1810.03292), section 3: the cascading
 * randomisation from the top layer down.
 *
 * Departs from the source: there the weights are drawn from the distribution that initialised them, which a trained model's
 * file does not tell.
 */
export function randomiseWeights(graph: Graph, rng: Rng, count = Infinity): Graph {
  const made = producers(graph);
  const initializers = new Map(graph.initializers);
  for (const node of learnedNodes(graph).slice(0, count)) {
    for (const name of weightsOf(graph, made, node)) {
      initializers.set(name, shuffled(graph.initializers.get(name)!, rng.split(name)));
    }
  }
  return { ...graph, initializers };
}

/** The initializers of a node's learned inputs, looking through the nodes that restore integer storage. */
function weightsOf(graph: Graph, made: ReadonlyMap<Value, Node>, node: Node): Value[] {
  const found: Value[] = [];
  const visit = (value: Value | undefined) => {
    if (!value) return;
    const initializer = graph.initializers.get(value);
    // A scalar is a scale or a zero point, not a weight.
    if (initializer && initializer.data.length > 1) found.push(value);
    const maker = made.get(value);
    if (maker && isConstant(graph, made, value)) maker.inputs.forEach(visit);
  };
  for (const input of LEARNED[node.op] ?? []) {
    const value = node.inputs[input];
    if (value && isConstant(graph, made, value)) visit(value);
  }
  return found;
}

/** Whether a value depends on weights only. */
function isConstant(graph: Graph, made: ReadonlyMap<Value, Node>, value: Value): boolean {
  if (graph.initializers.has(value)) return true;
  const maker = made.get(value);
  return maker !== undefined && maker.inputs.length > 0 &&
    maker.inputs.every((input) => input === "" || isConstant(graph, made, input));
}

/** A tensor with its elements in random order. */
function shuffled(value: AnyTensor, rng: Rng): AnyTensor {
  const Elements = ELEMENT_ARRAYS[value.type] as Uint8ArrayConstructor;
  const data = new Elements(value.data as Uint8Array);
  shuffle(data, rng);
  return { ...value, data } as AnyTensor;
}
