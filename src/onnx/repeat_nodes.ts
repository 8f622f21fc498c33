/**
 * A second forward pass in the same graph: what the values would be if some of them were others.
 *
 * @module
 */

import { type GraphBuilder, type Node, readsOf, type Value } from "./graph.ts";

/**
 * Adds copies of those of the given nodes (in topological order) that depend on a replaced value, and enters what replaces
 * their outputs. A value that is not entered afterwards does not depend on the replacement: it is the same in both passes.
 *
 * What a subgraph takes from the outside is not replaced; no rule goes through subgraphs, so none reads such a copy.
 */
export function repeatNodes(
  b: GraphBuilder,
  nodes: readonly Node[],
  replaced: Map<Value, Value>,
): void {
  for (const { op, domain, inputs, outputs, attributes, ...node } of nodes) {
    const reads = readsOf({ op, domain, inputs, outputs, attributes, ...node });
    if (!reads.some((read) => replaced.has(read))) continue;
    const others = inputs.map((input) => replaced.get(input) ?? input);
    const copies = b.ops(op, others, attributes, outputs.length, domain);
    outputs.forEach((output, i) => {
      if (output !== "") replaced.set(output, copies[i]);
    });
  }
}
