/**
 * TensorFlow.js graph models (`model.json` with `format: "graph-model"`) as ONNX graphs.
 *
 * Tensors of rank 4 are NHWC there and NCHW here; all others keep their axes. Sizes are followed while converting,
 * because TensorFlow's SAME padding of a strided layer depends on them. What each operation becomes is in
 * {@linkcode TFJS_OPS}; an operation without an entry is named in an {@linkcode UnsupportedOpError}.
 *
 * Source: TensorFlow.js converter, `graph_executor.ts` and the op list of `tfjs-converter`.
 *
 * @module
 */

import { ModelError, UnsupportedOpError } from "../../../src/base/errors.ts";
import { checkGraph } from "../../../src/onnx/check.ts";
import {
  type Dim,
  emptyGraph,
  type Graph,
  GraphBuilder,
  type Shape,
  type Value,
} from "../../../src/onnx/graph.ts";
import { nameTensor } from "../naming.ts";
import { TFJS_OPS } from "./ops.ts";
import { type TfjsWeight, weightOf } from "./weights.ts";
import type { Operand, TfjsModel, TfjsNode } from "./model.ts";

/** How the imported graph is to look. */
export interface TfjsGraphOptions {
  readonly name: string;
  /** Names for tensors, by the name of the TFJS node that makes them. All must occur. */
  readonly tensors?: Readonly<Record<string, Value>>;
  /** TFJS nodes whose results are the outputs, in order. */
  readonly outputs: readonly string[];
}

/**
 * Converts a graph model with one input. What the outputs do not need is left out.
 *
 * @param weights as {@linkcode readTfjsWeights} gives them
 * @returns a graph of operator set 17: `input` (NCHW, batch dimension "N") to the outputs
 * @throws {UnsupportedOpError} naming the operation and its node
 * @throws {ModelError} for a broken topology, more than one input, or a missing weight
 */
export function tfjsGraph(
  model: TfjsModel,
  weights: ReadonlyMap<string, TfjsWeight>,
  { name, tensors = {}, outputs }: TfjsGraphOptions,
): Graph {
  if (!model.modelTopology?.node?.length) {
    throw new ModelError(
      `Cannot import the TFJS model: format ${
        JSON.stringify(model.format ?? "unknown")
      } without graph nodes; only graph models have them`,
    );
  }
  const graph = emptyGraph(name);
  // Sizes are followed by the operations themselves, in TensorFlow's order of axes.
  const b = new GraphBuilder(graph, new Map(), () => {}, name);
  const operands = new Map<string, Operand>();
  for (const node of inOrder(model.modelTopology.node, outputs)) {
    operands.set(node.name, convert(b, weights, node, operands));
  }
  for (const output of outputs) {
    const made = operands.get(output)!;
    if (made.kind === "weight") {
      throw new ModelError(`Cannot import the TFJS model: output ${output} is a constant`);
    }
    graph.outputs.push({ name: made.value, type: "float32", shape: onnxShape(made.shape) });
  }
  for (const [from, to] of Object.entries(tensors)) {
    const made = operands.get(from);
    if (made?.kind !== "value") {
      throw new ModelError(
        `Cannot name tensor ${JSON.stringify(from)}: no node of the model makes it`,
      );
    }
    nameTensor(graph, made.value, to, onnxShape(made.shape));
  }
  checkGraph(graph);
  return graph;
}

/** NHWC to NCHW for rank 4; other ranks as they are. */
function onnxShape(shape: Shape): Shape {
  return shape.length === 4 ? [shape[0], shape[3], shape[1], shape[2]] : shape;
}

function convert(
  b: GraphBuilder,
  weights: ReadonlyMap<string, TfjsWeight>,
  node: TfjsNode,
  operands: ReadonlyMap<string, Operand>,
): Operand {
  if (node.op === "Const") return { kind: "weight", weight: weightOf(weights, node.name) };
  if (node.op === "Placeholder") return placeholder(b, node);
  const operation = TFJS_OPS[node.op];
  if (!operation) {
    throw new UnsupportedOpError(
      node.op,
      node.name,
      `Cannot import TFJS operation ${node.op} (node ${JSON.stringify(node.name)}): supported are ${
        Object.keys(TFJS_OPS).join(", ")
      }`,
      "cut the model before it or add a converter",
    );
  }
  const inputs = dataInputs(node).map((input) => operands.get(input)!);
  return operation({ b, node, inputs });
}

function placeholder(b: GraphBuilder, node: TfjsNode): Operand {
  if (b.graph.inputs.length) {
    throw new ModelError(
      `Cannot import the TFJS model: a second input, ${JSON.stringify(node.name)}`,
    );
  }
  const names = ["N", "H", "W"];
  const shape = (node.attr?.["shape"]?.shape?.dim ?? []).map((dim, axis): Dim =>
    Number(dim.size) >= 0 && axis > 0 ? Number(dim.size) : names[axis] ?? `D${axis}`
  );
  b.graph.inputs.push({ name: "input", type: "float32", shape: onnxShape(shape) });
  return { kind: "value", value: "input", shape };
}

/** The nodes a node reads, without control dependencies (`^name`) and the index of a first output (`name:0`). */
function dataInputs(node: TfjsNode): string[] {
  return (node.input ?? []).filter((input) => !input.startsWith("^")).map((input) => {
    const [name, output] = input.split(":") as [string, string?];
    if (output !== undefined && output !== "0") {
      throw new ModelError(
        `Cannot import TFJS node ${
          JSON.stringify(node.name)
        }: it reads output ${output} of ${name}`,
      );
    }
    return name;
  });
}

/** The nodes that the outputs need, each after all it reads. Files are not always sorted. */
function inOrder(nodes: readonly TfjsNode[], outputs: readonly string[]): TfjsNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const order: TfjsNode[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (name: string, reader: string) => {
    if (state.get(name) === "done") return;
    const node = byName.get(name);
    if (!node || state.get(name) === "open") {
      throw new ModelError(
        `Cannot import the TFJS model: ${node ? "a cycle" : "no node"} at ${
          JSON.stringify(name)
        }, read by ${reader}`,
      );
    }
    state.set(name, "open");
    for (const input of dataInputs(node)) visit(input, JSON.stringify(name));
    state.set(name, "done");
    order.push(node);
  };
  for (const output of outputs) visit(output, "the outputs asked for");
  return order;
}
