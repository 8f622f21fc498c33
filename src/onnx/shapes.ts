/**
 * Shape inference over the graph.
 *
 * Extents may be symbolic, so the batch stays free. Elements of small tensors are followed too, which resolves the shape
 * arithmetic (`Shape → Gather → Concat → Reshape`) that exporters write. The rules are in `shape_rules/`.
 *
 * @module
 */

import { type Graph, GraphBuilder, type InferNode, type Known, type Value } from "./graph.ts";
import { complete, SHAPE_RULES } from "./shape_rules/mod.ts";
import { knownOf, Site } from "./shape_rules/site.ts";

/** Microsoft's domain repeats some standard ops; these have the rule of the standard one. */
const CONTRIBUTED = new Set([
  "Gelu",
  "FusedConv",
  "FusedGemm",
  "FusedMatMul",
  "LayerNormalization",
]);

/**
 * Infers what one node's outputs are and adds them to `known`.
 *
 * An op without a rule leaves its outputs as the file states them, or unknown.
 *
 * @throws {ModelError} naming the node, when its inputs cannot go together.
 */
export const inferNode: InferNode = (graph, node, known) => {
  const standard = node.domain === "" ||
    (node.domain === "com.microsoft" && CONTRIBUTED.has(node.op));
  const name = node.op === "FusedConv" || node.op === "FusedGemm" ? node.op.slice(5) : node.op;
  const rule = standard ? SHAPE_RULES[node.op === "FusedMatMul" ? "MatMul" : name] : undefined;
  const inferred = rule?.(new Site(graph, node, known, inferShapesInside)) ?? [];
  node.outputs.forEach((output, i) => {
    if (output === "") return;
    const result = complete(inferred[i], graph.stated.get(output) ?? statedOutput(graph, output));
    if (result) known.set(output, result);
  });
};

function statedOutput(graph: Graph, value: Value): Known | undefined {
  return graph.outputs.find((output) => output.name === value);
}

function inferInto(graph: Graph, known: Map<Value, Known>): Map<Value, Known> {
  seedKnown(graph, known);
  for (const node of graph.nodes) inferNode(graph, node, known);
  return known;
}

/** Enters what is known before any node: a graph's inputs and initializers. */
export function seedKnown(graph: Graph, known: Map<Value, Known>): void {
  for (const { name, type, shape } of graph.inputs) {
    known.set(name, shape ? { type, shape } : { type });
  }
  for (const [name, value] of graph.initializers) known.set(name, knownOf(value));
}

/**
 * Types and shapes of all values of a graph.
 *
 * Values about which nothing is known are absent; extents that are open are symbolic (see `dims.ts`). What is inside a
 * subgraph is not listed. Time is linear in the number of nodes.
 *
 * @throws {ModelError} naming the node at which the model contradicts itself.
 */
export function inferShapes(graph: Graph): Map<Value, Known> {
  return inferInto(graph, new Map());
}

/** The same for a subgraph, given what is known around it. */
export function inferShapesInside(
  inner: Graph,
  outer: ReadonlyMap<Value, Known>,
): Map<Value, Known> {
  return inferInto(inner, new Map(outer));
}

/**
 * A builder that adds nodes to an existing graph with shapes inferred as it goes.
 *
 * @param prefix first part of the names of new values; numbered where the graph has such names already
 * @throws {ModelError} as {@linkcode inferShapes}.
 */
export function builderOn(graph: Graph, prefix = "emocam"): GraphBuilder {
  const known = inferShapes(graph);
  const taken = new Set<string>();
  for (const value of known.keys()) {
    const slash = value.indexOf("/");
    if (slash > 0) taken.add(value.slice(0, slash));
  }
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      const slash = output.indexOf("/");
      if (slash > 0) taken.add(output.slice(0, slash));
    }
  }
  let free = prefix;
  for (let number = 2; taken.has(free); number++) free = `${prefix}${number}`;
  return new GraphBuilder(graph, known, inferNode, free);
}
