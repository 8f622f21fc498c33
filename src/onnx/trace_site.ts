/**
 * What a rule sees that carries a state of tensors from node to node.
 *
 * @module
 */

import type { Graph, Known, Node, Shape, Value } from "./graph.ts";

/** One node, the states of its inputs and the shapes around it. */
export interface TraceSite<State> {
  readonly graph: Graph;
  readonly node: Node;
  state(i: number): State | undefined;
  /** Whether an input depends on the image at all. */
  varies(i: number): boolean;
  shape(i: number): Shape | undefined;
  outputShape(i: number): Shape | undefined;
  /** Elements of a small constant input. */
  numbers(i: number): readonly number[] | undefined;
}

/**
 * The site of a node.
 *
 * @param known of all values
 * @param states of the values before the node
 * @param varying values that depend on the image
 */
export function siteOf<State>(
  graph: Graph,
  node: Node,
  known: ReadonlyMap<Value, Known>,
  states: ReadonlyMap<Value, State>,
  varying: ReadonlySet<Value>,
): TraceSite<State> {
  const input = (i: number) => node.inputs[i] ?? "";
  return {
    graph,
    node,
    state: (i) => states.get(input(i)),
    varies: (i) => varying.has(input(i)),
    shape: (i) => known.get(input(i))?.shape,
    outputShape: (i) => known.get(node.outputs[i] ?? "")?.shape,
    numbers(i) {
      const elements = known.get(input(i))?.elements;
      return elements?.every((e) => typeof e === "number") ? elements as number[] : undefined;
    },
  };
}

/** An axis counted from the front. */
export function counted(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
