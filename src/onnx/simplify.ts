/**
 * Resolves what an exporter left open although it follows from the graph: shape arithmetic, constants, branches.
 *
 * @module
 */

import { type AnyTensor, ELEMENT_ARRAYS, floats, int64s, sizeOf } from "../base/tensor.ts";
import { checkGraph } from "./check.ts";

import type { Dim, Graph, Known, Node, Value } from "./graph.ts";
import { prune } from "./depends_on.ts";
import { takenBranch } from "./shape_rules/mod.ts";
import { inferNode, seedKnown } from "./shapes.ts";

/**
 * A graph that computes the same outputs with fewer nodes; the original stays as it is.
 *
 * - `Constant` nodes become initializers.
 * - Tensors of whole numbers and truth values that follow from the graph become initializers.
 * - An `If` whose condition follows is replaced by the branch it takes.
 * - `Reshape` and `Expand` to a shape with symbolic extents get a constant shape (0, -1 or 1 for the symbol).
 *
 * Names of the values that stay are unchanged. Doing it twice changes nothing.
 *
 * @throws {ModelError} when the shapes contradict each other.
 */
export function simplify(source: Graph): Graph {
  const graph: Graph = {
    ...source,
    initializers: new Map(source.initializers),
    nodes: [],
  };
  const known = new Map<Value, Known>();
  seedKnown(graph, known);
  const outputs = new Set(graph.outputs.map((output) => output.name));
  const queue = [...source.nodes].reverse();
  for (let node = queue.pop(); node; node = queue.pop()) {
    if (node.op === "If") {
      const branch = takenBranch(node, truth(graph, known, node.inputs[0]));
      if (branch) {
        queue.push(...inline(node, branch, graph, known).reverse());
        continue;
      }
    }
    inferNode(graph, node, known);
    const constants = node.outputs.map((output) =>
      outputs.has(output) ? undefined : constantOf(node!, known.get(output))
    );
    if (constants.every((constant) => constant !== undefined) && constants.length > 0) {
      node.outputs.forEach((output, i) => graph.initializers.set(output, constants[i]));
      continue;
    }
    graph.nodes.push(withConstantShape(graph, node, known));
  }
  const result = prune(graph);
  checkGraph(result);
  return result;
}

function truth(graph: Graph, known: Map<Value, Known>, value: Value): number | undefined {
  const element = known.get(value)?.elements?.[0] ?? graph.initializers.get(value)?.data[0];
  return typeof element === "string" || element === undefined ? undefined : Number(element);
}

/** The nodes of a branch, with its outputs under the names of the `If` and everything else under new names. */
function inline(node: Node, branch: Graph, graph: Graph, known: Map<Value, Known>): Node[] {
  const names = new Map<Value, Value>();
  const own = [...branch.initializers.keys(), ...branch.nodes.flatMap((child) => child.outputs)];
  for (const value of own) if (value !== "") names.set(value, `${node.name}/${value}`);
  const ends: Node[] = [];
  branch.outputs.forEach(({ name }, i) => {
    const output = node.outputs[i];
    const made = branch.nodes.some((child) => child.outputs.includes(name));
    const first = branch.outputs.findIndex((other) => other.name === name) === i;
    if (made && first) return names.set(name, output);
    ends.push({
      name: `${node.name}/${output}`,
      op: "Identity",
      domain: "",
      inputs: [names.get(name) ?? name],
      outputs: [output],
      attributes: {},
    });
  });
  for (const [name, value] of branch.initializers) {
    graph.initializers.set(names.get(name)!, value);
    known.set(names.get(name)!, { type: value.type, shape: value.shape });
  }
  return [...branch.nodes.map((child) => renamed(child, names, node.name)), ...ends];
}

function renamed(node: Node, names: ReadonlyMap<Value, Value>, scope: string): Node {
  const name = (value: Value) => names.get(value) ?? value;
  const attributes = Object.fromEntries(
    Object.entries(node.attributes).map(([key, attribute]) => [
      key,
      attribute.kind === "graph"
        ? { ...attribute, value: renamedInside(attribute.value, names) }
        : attribute,
    ]),
  );
  return {
    ...node,
    name: `${scope}/${node.name}`,
    inputs: node.inputs.map(name),
    outputs: node.outputs.map(name),
    attributes,
  };
}

function renamedInside(graph: Graph, names: ReadonlyMap<Value, Value>): Graph {
  return {
    ...graph,
    outputs: graph.outputs.map((o) => ({ ...o, name: names.get(o.name) ?? o.name })),
    nodes: graph.nodes.map((node) => {
      const { name, ...rest } = renamed(node, names, "");
      return { ...rest, name: name.slice(1) };
    }),
  };
}

/** A node's output as a tensor, if it is a constant or a small tensor of whole numbers whose elements all follow. */
function constantOf(node: Node, known: Known | undefined): AnyTensor | undefined {
  if (node.op === "Constant" && node.domain === "") {
    const attributes = Object.values(node.attributes);
    const dense = attributes.find((attribute) => attribute.kind === "tensor");
    if (dense) return dense.value;
    if (known?.type === "float32") {
      return floats(known.shape as number[], known.elements as number[]);
    }
  }
  const whole = known && !known.type.startsWith("float") && known.elements && known.shape;
  if (!whole || known.shape!.some((dim) => typeof dim !== "number")) return undefined;
  const shape = known.shape as number[];
  const elements = known.elements!;
  if (elements.length !== sizeOf(shape) || !elements.every(Number.isSafeInteger)) return undefined;
  const numbers = elements as readonly number[];
  if (known.type === "int64") return int64s(shape, numbers);
  if (known.type === "uint64") return undefined;
  const data = (ELEMENT_ARRAYS[known.type] as typeof Int32Array).from(numbers);
  return { type: known.type, shape, data } as AnyTensor;
}

/** Reshape and Expand with the shape as a constant, where it can be written as one. */
function withConstantShape(graph: Graph, node: Node, known: Map<Value, Known>): Node {
  const isReshape = node.op === "Reshape";
  if (node.domain !== "" || !(isReshape || node.op === "Expand")) return node;
  const target = node.inputs[1];
  if (!target || graph.initializers.has(target)) return node;
  const from = known.get(node.inputs[0])?.shape;
  const to = known.get(node.outputs[0])?.shape;
  if (!from || !to) return node;
  let open = 0;
  const fixed = to.map((dim: Dim, axis) => {
    if (typeof dim === "number") return dim;
    const same = isReshape ? from[axis] : from[axis - to.length + from.length];
    if (same === dim) return isReshape ? 0 : 1;
    open++;
    return -1;
  });
  if (open > (isReshape ? 1 : 0)) return node;
  // A 0 for an empty extent would now mean "as in the input".
  if (isReshape && to.includes(0)) return node;
  const name = `${node.outputs[0]}/shape`;
  const constant = int64s([fixed.length], fixed);
  graph.initializers.set(name, constant);
  known.set(name, { type: "int64", shape: constant.shape, elements: fixed });
  const { allowzero: _, ...attributes } = node.attributes;
  return { ...node, inputs: [node.inputs[0], name], attributes };
}
