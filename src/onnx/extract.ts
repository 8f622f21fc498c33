/**
 * Parts of a graph: the nodes between given values, and the cut at one tensor into trunk and head.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import { checkGraph } from "./check.ts";
import { type Graph, type Known, type Node, readsOf, type Value, type ValueInfo } from "./graph.ts";
import { ancestors, dependents } from "./depends_on.ts";
import { inferShapes } from "./shapes.ts";
import { simplify } from "./simplify.ts";

/** Where a part begins and ends. */
export interface Ends {
  inputs: readonly Value[];
  outputs: readonly Value[];
}

/**
 * The part of a graph that computes `outputs` from `inputs`: only the nodes and initializers that this needs, in their order,
 * nodes and weights shared with the original. Types and shapes of the new inputs and outputs are inferred.
 *
 * An input that no output needs stays an input. A node that makes both an input and something else that is needed is kept,
 * with that output renamed.
 *
 * @throws {ModelError} when an output is not in the graph, or depends on a graph input that is not among `inputs`.
 */
export function extract(graph: Graph, { inputs, outputs }: Ends, name = graph.name): Graph {
  return extractKnowing(graph, inferShapes(graph), { inputs, outputs }, name);
}

function extractKnowing(
  graph: Graph,
  known: ReadonlyMap<Value, Known>,
  { inputs, outputs }: Ends,
  name: string,
): Graph {
  const given = new Set(inputs);
  const needed = new Set<Value>(outputs);
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output) && !given.has(output))) continue;
    for (const read of readsOf(node)) needed.add(read);
    nodes.push(
      node.outputs.some((output) => given.has(output))
        ? { ...node, outputs: node.outputs.map((o) => given.has(o) ? `${o}/unused` : o) }
        : node,
    );
  }
  const free = graph.inputs.find(({ name }) => needed.has(name) && !given.has(name));
  if (free) {
    throw new ModelError(
      `Cannot extract ${list(outputs)} from ${list(inputs)}: input ${
        JSON.stringify(free.name)
      } is needed too; add it`,
    );
  }
  const kept = <T>(map: ReadonlyMap<Value, T>) =>
    new Map([...map].filter(([value]) => needed.has(value) && !given.has(value)));
  const made = new Set([...given, ...nodes.flatMap((node) => node.outputs)]);
  const result: Graph = {
    name,
    opset: graph.opset,
    domains: { ...graph.domains },
    inputs: inputs.map((value) => describe(graph, known, value)),
    outputs: outputs.map((value) => describe(graph, known, value)),
    initializers: kept(graph.initializers),
    nodes: nodes.reverse(),
    stated: new Map([...graph.stated].filter(([value]) => made.has(value) && !given.has(value))),
  };
  for (const value of outputs) {
    if (!made.has(value) && !result.initializers.has(value)) {
      throw new ModelError(
        `Cannot extract ${
          JSON.stringify(value)
        }: the graph has no such tensor; name one that it has`,
      );
    }
  }
  checkGraph(result);
  return result;
}

function list(values: readonly Value[]): string {
  return values.map((value) => JSON.stringify(value)).join(", ");
}

/** Type and shape of a value as a graph input or output; float32 where even the type is unknown. */
function describe(graph: Graph, known: ReadonlyMap<Value, Known>, value: Value): ValueInfo {
  const stated = graph.inputs.find((input) => input.name === value) ??
    graph.outputs.find((output) => output.name === value);
  const { type, shape } = known.get(value) ?? stated ?? { type: "float32" };
  return shape ? { name: value, type, shape } : { name: value, type };
}

/** A graph in two parts that give the whole again: `head(trunk(x)) = graph(x)`. */
export interface Cut {
  /** From the graph's inputs to the cut: outputs are the tensor and `bypass`, in this order. */
  trunk: Graph;
  /** From the tensor and `bypass` to the graph's outputs. */
  head: Graph;
  /** What else crosses the cut: computed from the inputs, needed after the cut, and independent of the tensor. */
  bypass: Value[];
}

/**
 * Cuts a graph at a tensor.
 *
 * Everything that depends on the tensor is the head; what is computed from constants alone is copied to where it is needed.
 * Shape arithmetic is resolved first ({@linkcode simplify}), so that the size of the trunk's batch does not cross the cut and the
 * head can run on batches of another size.
 *
 * @throws {ModelError} when the tensor is unknown or constant, or no output depends on it.
 */
export function cut(source: Graph, at: Value): Cut {
  const graph = simplify(source);
  const known = inferShapes(graph);
  const inputs = graph.inputs.map(({ name }) => name);
  const varying = dependents(graph, inputs);
  if (!varying.has(at)) {
    const why = graph.initializers.has(at) || graph.nodes.some((n) => n.outputs.includes(at))
      ? "it does not depend on the input"
      : "the graph has no such tensor";
    throw new ModelError(
      `Cannot cut at ${
        JSON.stringify(at)
      }: ${why}; name a tensor that lies between input and output`,
    );
  }
  const downstream = dependents(graph, [at]);
  const outputs = graph.outputs.map(({ name }) => name);
  if (!outputs.some((output) => downstream.has(output))) {
    throw new ModelError(
      `Cannot cut at ${
        JSON.stringify(at)
      }: no output depends on it; name a tensor on the way to one`,
    );
  }
  const needed = new Set<Value>(outputs);
  for (const node of [...graph.nodes].reverse()) {
    const heads = node.outputs.some((o) => needed.has(o) && downstream.has(o) && o !== at);
    if (heads) { for (const read of readsOf(node)) needed.add(read); }
  }
  const bypass = [...varying].filter((value) => needed.has(value) && !downstream.has(value));
  const crossing = [at, ...bypass];
  // Only the inputs that the trunk reads; a graph's second input may enter after the cut, and then is a bypass itself.
  const before = ancestors(graph, crossing);
  return {
    trunk: extractKnowing(
      graph,
      known,
      { inputs: inputs.filter((input) => before.has(input)), outputs: crossing },
      `${graph.name} trunk`,
    ),
    head: extractKnowing(graph, known, { inputs: crossing, outputs }, `${graph.name} head`),
    bypass,
  };
}
