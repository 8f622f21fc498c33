/** Runs graphs on the native backend: the oracle of the tests of graphs. */

import {
  type AnyTensor,
  ELEMENT_ARRAYS,
  type ElementType,
  floats,
  sizeOf,
  type Tensor,
} from "../../src/base/tensor.ts";
import { createRng } from "../../src/base/rng.ts";
import {
  type Attribute,
  type Dim,
  emptyGraph,
  type Graph,
  GraphBuilder,
  type Shape,
} from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { inferNode } from "../../src/onnx/shapes.ts";
import { openSession } from "../../src/runtime/open.ts";

/** All outputs of a graph for given inputs. */
export async function runNative(
  graph: Graph,
  feeds: Readonly<Record<string, AnyTensor>>,
): Promise<Record<string, AnyTensor>> {
  const session = await openSession(writeModel(graph), "native", { threads: 1 });
  try {
    return await session.run(feeds) as Record<string, AnyTensor>;
  } finally {
    await session.dispose();
  }
}

/** A float32 tensor of seeded numbers in [-1, 1). */
export function noise(shape: readonly number[], seed = 1): Tensor {
  const rng = createRng(seed);
  return floats(shape, Float32Array.from({ length: sizeOf(shape) }, () => 2 * rng.uniform() - 1));
}

/** A tensor of ones, of any type. */
export function ones(type: ElementType, shape: readonly number[]): AnyTensor {
  const data = new ELEMENT_ARRAYS[type](sizeOf(shape));
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(1n);
  else data.fill(1);
  return { type, shape, data } as AnyTensor;
}

/** A graph with one image input "x" and a builder on it; `b.graph.outputs` is left to the caller. */
export function netOn(shape: Shape, opset = 17): GraphBuilder {
  const graph = emptyGraph("net", opset);
  graph.inputs.push({ name: "x", type: "float32", shape });
  return new GraphBuilder(
    graph,
    new Map([["x", { type: "float32", shape }]]),
    inferNode,
    "layer",
  );
}

/** Names a value as a graph output. */
export function output(b: GraphBuilder, ...values: string[]): Graph {
  for (const name of values) {
    const { type, shape } = b.known.get(name)!;
    b.graph.outputs.push(shape ? { name, type, shape } : { name, type });
  }
  return b.graph;
}

/** Adds a node whose one output has a given name. */
export function put(
  b: GraphBuilder,
  op: string,
  inputs: readonly string[],
  attributes: Record<string, Attribute>,
  name: string,
): string {
  const node = { name, op, domain: "", inputs: [...inputs], outputs: [name], attributes };
  b.graph.nodes.push(node);
  inferNode(b.graph, node, b.known);
  return name;
}

/** The number that a symbolic extent means, given the batch size; NaN for one that names something else. */
export function numberOf(dim: Dim, batch: number): number {
  return String(dim).split("*").reduce(
    (value, part) => value * (part === "N" ? batch : /^\d+$/.test(part) ? Number(part) : NaN),
    1,
  );
}

/** Largest |a − b| over the largest |b|. */
export function relativeError(a: Tensor, b: Tensor): number {
  let error = 0;
  let scale = 0;
  for (let i = 0; i < b.data.length; i++) {
    error = Math.max(error, Math.abs(a.data[i] - b.data[i]));
    scale = Math.max(scale, Math.abs(b.data[i]));
  }
  return a.data.length === b.data.length ? error / (scale || 1) : Infinity;
}
