/**
 * The graph: an ONNX model as plain, mutable data, and the builder that adds nodes to it.
 *
 * A value is the name of a tensor; `""` in a node's inputs means "absent", as in ONNX. Nodes are kept in topological
 * order. Subgraphs (`If`, `Loop`) are attributes of kind "graph".
 *
 * @module
 */

import { type AnyTensor, type ElementType, floats, int64s, type Tensor } from "../base/tensor.ts";

/** The name of a tensor in a graph. */
export type Value = string;

/** One extent: a number, or the name of a symbolic one such as the batch size `"N"`. */
export type Dim = number | string;

/** A shape, where known from the graph. */
export type Shape = readonly Dim[];

/** A graph input or output. `shape` is absent where the model does not even state the rank. */
export interface ValueInfo {
  name: Value;
  type: ElementType;
  shape?: Shape;
}

/** An attribute of a node, tagged with its kind because ONNX tells 1 from 1.0. */
export type Attribute =
  | { kind: "int"; value: number }
  | { kind: "float"; value: number }
  | { kind: "string"; value: string }
  | { kind: "ints"; value: readonly number[] }
  | { kind: "floats"; value: readonly number[] }
  | { kind: "strings"; value: readonly string[] }
  | { kind: "tensor"; value: AnyTensor }
  | { kind: "graph"; value: Graph };

/** One operation. */
export interface Node {
  /** Unique within the graph after loading (made up from op and output where the file has none). */
  name: string;
  op: string;
  /** "" is the standard ONNX domain. */
  domain: string;
  inputs: Value[];
  outputs: Value[];
  attributes: Record<string, Attribute>;
}

/** A model: its nodes in topological order, its weights, and what goes in and out. */
export interface Graph {
  name: string;
  /** Version of the standard operator set (`domain ""`). */
  opset: number;
  /** Other operator sets the model imports, by domain. */
  domains: Record<string, number>;
  /** Inputs that a caller feeds (initializers are not among them). */
  inputs: ValueInfo[];
  outputs: ValueInfo[];
  initializers: Map<Value, AnyTensor>;
  nodes: Node[];
  /** What the file itself states about inner tensors (`value_info`). */
  stated: Map<Value, ValueInfo>;
}

/** An empty graph. */
export function emptyGraph(name: string, opset = 17): Graph {
  return {
    name,
    opset,
    domains: {},
    inputs: [],
    outputs: [],
    initializers: new Map(),
    nodes: [],
    stated: new Map(),
  };
}

/** A graph whose lists and maps can be changed; tensors and nodes' attributes are shared. */
export function copyGraph(graph: Graph): Graph {
  return {
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input })),
    outputs: graph.outputs.map((output) => ({ ...output })),
    initializers: new Map(graph.initializers),
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: [...node.inputs],
      outputs: [...node.outputs],
    })),
    stated: new Map(graph.stated),
  };
}

/** Reads an int attribute. */
export function intOf(node: Node, name: string, otherwise: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === "int" ? attribute.value : otherwise;
}

/** Reads a float attribute. */
export function floatOf(node: Node, name: string, otherwise: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === "float" ? attribute.value : otherwise;
}

/** Reads a list-of-ints attribute; `undefined` when absent. */
export function intsOf(node: Node, name: string): readonly number[] | undefined {
  const attribute = node.attributes[name];
  return attribute?.kind === "ints" ? attribute.value : undefined;
}

/** Reads a string attribute. */
export function stringOf(node: Node, name: string, otherwise: string): string {
  const attribute = node.attributes[name];
  return attribute?.kind === "string" ? attribute.value : otherwise;
}

/** Shorthand for attributes: `{ axis: int(1), pads: ints([0, 0, 1, 1]) }`. */
export const int = (value: number): Attribute => ({ kind: "int", value });
export const float = (value: number): Attribute => ({ kind: "float", value });
export const string = (value: string): Attribute => ({ kind: "string", value });
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });

/** Which node makes each value. */
export function producers(graph: Graph): Map<Value, Node> {
  const made = new Map<Value, Node>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) if (output) made.set(output, node);
  }
  return made;
}

/** Which nodes read each value (subgraphs included, under the node that holds them). */
export function consumers(graph: Graph): Map<Value, Node[]> {
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes) {
    for (const input of new Set(readsOf(node))) {
      const list = readers.get(input);
      if (list) list.push(node);
      else readers.set(input, [node]);
    }
  }
  return readers;
}

/** Every value a node reads, including what its subgraphs take from the outside. */
export function readsOf(node: Node): Value[] {
  const reads = node.inputs.filter((input) => input !== "");
  for (const attribute of Object.values(node.attributes)) {
    if (attribute.kind !== "graph") continue;
    const inner = attribute.value;
    const own = new Set<Value>([...inner.inputs.map((i) => i.name), ...inner.initializers.keys()]);
    for (const child of inner.nodes) for (const output of child.outputs) own.add(output);
    for (const child of inner.nodes) {
      for (const read of readsOf(child)) if (!own.has(read)) reads.push(read);
    }
    for (const output of inner.outputs) if (!own.has(output.name)) reads.push(output.name);
  }
  return reads;
}

/** What is known of a value without running the model. */
export interface Known {
  type: ElementType;
  /** Absent when not even the rank is known. */
  shape?: Shape;
  /**
   * The elements of a small tensor in row-major order, where they follow from the graph: numbers, or the names of
   * extents (`Shape` of [N, 3, 64, 64] has the elements "N", 3, 64, 64). Exporters compute shapes with such tensors.
   */
  elements?: readonly Dim[];
}

/** Infers what a node's outputs are, given what its inputs are. See `shapes.ts` for the one used everywhere. */
export type InferNode = (graph: Graph, node: Node, known: Map<Value, Known>) => void;

/**
 * Appends nodes to a graph and keeps track of types and shapes as it goes.
 *
 * Names of new values start with the prefix, so that they cannot collide with the model's own.
 */
export class GraphBuilder {
  readonly graph: Graph;
  readonly known: Map<Value, Known>;
  #infer: InferNode;
  #prefix: string;
  #count = 0;
  #constants = new Map<string, Value>();

  constructor(graph: Graph, known: Map<Value, Known>, infer: InferNode, prefix = "emocam") {
    this.graph = graph;
    this.known = known;
    this.#infer = infer;
    this.#prefix = prefix;
  }

  #fresh(hint: string): Value {
    return `${this.#prefix}/${hint}_${this.#count++}`;
  }

  /** Adds a node with one output and returns it. `""` as an input means absent. */
  op(op: string, inputs: readonly Value[], attributes: Record<string, Attribute> = {}): Value {
    return this.ops(op, inputs, attributes, 1)[0];
  }

  /** Adds a node with several outputs. */
  ops(
    op: string,
    inputs: readonly Value[],
    attributes: Record<string, Attribute>,
    outputs: number,
    domain = "",
  ): Value[] {
    const name = this.#fresh(op);
    const node: Node = {
      name,
      op,
      domain,
      inputs: [...inputs],
      outputs: Array.from({ length: outputs }, (_, i) => outputs === 1 ? name : `${name}:${i}`),
      attributes,
    };
    this.graph.nodes.push(node);
    this.#infer(this.graph, node, this.known);
    return node.outputs;
  }

  /** Adds a weight under a given name (importers) or under a made-up one. */
  initializer(value: AnyTensor, name = this.#fresh("constant")): Value {
    this.graph.initializers.set(name, value);
    this.known.set(name, { type: value.type, shape: value.shape });
    return name;
  }

  /** A float32 constant; equal small ones are added once. */
  floats(shape: readonly number[], values: readonly number[] | Float32Array): Value {
    return this.#once(floats(shape, values));
  }

  /** A float32 scalar constant of shape []. */
  scalar(value: number): Value {
    return this.floats([], [value]);
  }

  /** An int64 vector constant, as Reshape, Slice, ReduceSum … take it. */
  ints(values: readonly number[]): Value {
    return this.#once(int64s([values.length], values));
  }

  #once(value: Tensor | Tensor<"int64">): Value {
    if (value.data.length > 64) return this.initializer(value);
    const key = `${value.type}[${value.shape}]${
      Array.from(value.data as ArrayLike<number | bigint>).join(",")
    }`;
    const existing = this.#constants.get(key);
    if (existing !== undefined) return existing;
    const made = this.initializer(value);
    this.#constants.set(key, made);
    return made;
  }

  /**
   * The shape of a value as inferred.
   *
   * @throws {Error} when not even the rank is known.
   */
  shape(value: Value): Shape {
    const shape = this.known.get(value)?.shape;
    if (!shape) {
      throw new Error(`Cannot build on tensor ${JSON.stringify(value)}: its shape is unknown`);
    }
    return shape;
  }

  /** The weight that a value is, if it is one. */
  weight(value: Value): AnyTensor | undefined {
    return this.graph.initializers.get(value);
  }
}
