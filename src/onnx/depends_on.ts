/**
 * What a value reaches and what reaches it.
 *
 * @module
 */

import { type Graph, readsOf, type Value } from "./graph.ts";

/**
 * Every value that depends on one of the given ones, these included, in the order in which they are made.
 *
 * @param counts which values count and pass dependence on; by default all
 */
export function dependents(
  graph: Pick<Graph, "nodes">,
  on: readonly Value[],
  counts: (value: Value) => boolean = () => true,
): Set<Value> {
  const found = new Set<Value>(on);
  for (const node of graph.nodes) {
    if (!readsOf(node).some((read) => found.has(read))) continue;
    for (const output of node.outputs) if (output !== "" && counts(output)) found.add(output);
  }
  return found;
}

/** Every value that one of the given ones depends on, these included. */
export function ancestors(graph: Graph, of: readonly Value[]): Set<Value> {
  const found = new Set<Value>(of);
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => found.has(output))) continue;
    for (const read of readsOf(node)) found.add(read);
  }
  return found;
}

/** The graph without the nodes, initializers and stated shapes that none of its outputs needs. All inputs stay. */
export function prune(graph: Graph): Graph {
  const needed = ancestors(graph, graph.outputs.map(({ name }) => name));
  const kept = <T>(map: ReadonlyMap<Value, T>) =>
    new Map([...map].filter(([value]) => needed.has(value)));
  return {
    ...graph,
    inputs: [...graph.inputs],
    outputs: [...graph.outputs],
    initializers: kept(graph.initializers),
    nodes: graph.nodes.filter((node) => node.outputs.some((output) => needed.has(output))),
    stated: kept(graph.stated),
  };
}
