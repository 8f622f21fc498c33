/**
 * A graph as it computes in inference, whatever mode it was exported in.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import { dependents } from "./depends_on.ts";
import { type Attribute, type Graph, intOf, type Known, type Node, type Value } from "./graph.ts";
import { inferShapes } from "./shapes.ts";

/** A graph in inference mode. */
export interface InferenceGraph {
  readonly graph: Graph;
  /** Remarks on what was in training mode; empty where nothing was, and then the graph is the one given. */
  readonly notices: readonly string[];
}

/** A graph and those around it, from the innermost out. */
type Scopes = readonly Graph[];

/**
 * Takes every Dropout and BatchNormalization out of training mode, in subgraphs too: ONNX defines both for inference, Dropout as the
 * identity, BatchNormalization by its stored mean and variance. A flag that is an input of the model, or is computed, counts as
 * training, and an input that nothing else reads is dropped. Normalizations of what does not depend on the input, as of
 * standardised weights, stay as they are: they give the same result in every run. The original stays as it is.
 *
 * @throws {ModelError} when statistics of the batch are read by other nodes, or a tensor is normalised that was reshaped so that
 * its first axis is not the batch.
 */
export function forInference(source: Graph): InferenceGraph {
  const dropouts: string[] = [], norms: string[] = [];
  const freed = new Set<Value>();
  const varying = dependents(source, source.inputs.map(({ name }) => name));
  const depends = (value: Value, inner: boolean) => inner || varying.has(value);
  let known: ReadonlyMap<Value, Known> | undefined;
  const shapes = () => known ??= shapesOrNone(source);

  const visitNode = (node: Node, scopes: Scopes): Node => {
    const inner = visitSubgraphs(node, scopes);
    if (node.domain !== "") return inner;
    if (node.op === "Dropout") {
      const changed = dropoutInInference(inner, scopes, shapes);
      if (changed !== inner && isTraining(node, scopes, shapes)) {
        dropouts.push(node.name);
        if (node.inputs[2]) freed.add(node.inputs[2]);
      }
      return changed;
    }
    if (node.op === "BatchNormalization" && depends(node.inputs[0], scopes.length > 1)) {
      const changed = normInInference(inner, scopes);
      if (changed !== inner && isTrainingNorm(node, source.opset)) {
        refuseReshaped(source, node, scopes.length > 1 ? undefined : shapes());
        norms.push(node.name);
      }
      return changed;
    }
    return inner;
  };
  const visitSubgraphs = (node: Node, scopes: Scopes): Node => {
    const entries = Object.entries(node.attributes);
    if (!entries.some(([, { kind }]) => kind === "graph")) return node;
    const visited = entries.map(([name, attribute]): [string, Attribute] => [
      name,
      attribute.kind === "graph"
        ? { kind: "graph", value: visit(attribute.value, scopes) }
        : attribute,
    ]);
    return { ...node, attributes: Object.fromEntries(visited) };
  };
  const visit = (graph: Graph, outer: Scopes): Graph => {
    const scopes = [graph, ...outer];
    const nodes = graph.nodes.map((node) => visitNode(node, scopes));
    return nodes.every((node, i) => node === graph.nodes[i]) ? graph : { ...graph, nodes };
  };

  const visited = visit(source, []);
  if (visited === source) return { graph: source, notices: [] };
  const read = new Set(visited.nodes.flatMap((node) => readsInside(node)));
  const graph = {
    ...visited,
    inputs: visited.inputs.filter(({ name }) => !freed.has(name) || read.has(name)),
  };
  return {
    graph,
    notices: [
      ...noticeOf(dropouts, "Dropout", "which changes nothing"),
      ...noticeOf(norms, "BatchNormalization", "with the stored mean and variance"),
    ],
  };
}

function noticeOf(names: readonly string[], op: string, how: string): string[] {
  if (names.length === 0) return [];
  const nodes = names.length === 1
    ? `node ${JSON.stringify(names[0])} (${op}) is`
    : `${names.length} ${op} nodes (the first is ${JSON.stringify(names[0])}) are`;
  return [`${nodes} in training mode; evaluated as in inference, ${how}`];
}

function shapesOrNone(graph: Graph): ReadonlyMap<Value, Known> {
  try {
    return inferShapes(graph);
  } catch (error) {
    // What contradicts itself is refused where the model is used.
    if (error instanceof ModelError) return new Map();
    throw error;
  }
}

function readsInside(node: Node): Value[] {
  const inner = Object.values(node.attributes).flatMap((attribute) =>
    attribute.kind === "graph"
      ? [
        ...attribute.value.nodes.flatMap(readsInside),
        ...attribute.value.outputs.map(({ name }) => name),
      ]
      : []
  );
  return [...node.inputs, ...inner];
}

/** Whether a Dropout's third input is anything but a constant false, or the attribute of old operator sets says so. */
function isTraining(
  node: Node,
  scopes: Scopes,
  shapes: () => ReadonlyMap<Value, Known>,
): boolean {
  if (node.attributes["is_test"] && intOf(node, "is_test", 0) === 0) return true;
  const flag = node.inputs[2] ?? "";
  if (flag === "") return false;
  const value = constantFlag(flag, scopes);
  if (value !== undefined) return value !== 0;
  const elements = shapes().get(flag)?.elements;
  return elements?.[0] !== 0;
}

/** The value of a flag that an initializer or a Constant node holds. */
function constantFlag(name: Value, scopes: Scopes): number | undefined {
  for (const graph of scopes) {
    const stored = graph.initializers.get(name);
    if (stored) return Number(stored.data[0]);
    const made = graph.nodes.find(({ outputs }) => outputs.includes(name));
    if (made?.op === "Constant" && made.domain === "") {
      const dense = made.attributes["value"];
      return dense?.kind === "tensor" ? Number(dense.value.data[0]) : undefined;
    }
    if (made) return undefined;
  }
  return undefined;
}

function dropoutInInference(
  node: Node,
  scopes: Scopes,
  shapes: () => ReadonlyMap<Value, Known>,
): Node {
  const training = isTraining(node, scopes, shapes);
  const { is_test: test, ...attributes } = node.attributes;
  if (!training && test === undefined) return node;
  return { ...node, attributes, inputs: training ? node.inputs.slice(0, 1) : node.inputs };
}

/** Whether a BatchNormalization takes its statistics from the batch: since operator set 14 a flag, before it more than one output. */
function isTrainingNorm(node: Node, opset: number): boolean {
  if (intOf(node, "training_mode", 0) !== 0) return true;
  if (node.attributes["is_test"]) return intOf(node, "is_test", 0) === 0;
  return opset < 14 && statisticsOf(node).length > 0;
}

function statisticsOf({ outputs }: Node): Value[] {
  return outputs.slice(1).filter((output) => output !== "");
}

function normInInference(node: Node, [graph]: Scopes): Node {
  const statistics = statisticsOf(node);
  const { training_mode: mode, is_test: test, ...attributes } = node.attributes;
  if (statistics.length === 0 && mode === undefined && test === undefined) return node;
  const reader = graph.nodes.find((other) =>
    readsInside(other).some((read) => statistics.includes(read))
  );
  const output = graph.outputs.find(({ name }) => statistics.includes(name));
  if (reader || output) {
    throw new ModelError(
      `Cannot use the model: node ${
        JSON.stringify(node.name)
      } (BatchNormalization) is in training mode, and ${
        reader ? `node ${JSON.stringify(reader.name)} reads` : "an output gives"
      } its statistics of the batch; export the model for inference (model.eval() in PyTorch)`,
    );
  }
  return { ...node, attributes, outputs: node.outputs.slice(0, 1) };
}

/** With another first axis than the batch, the statistics of a batch are perhaps a sample's own, as in an instance normalization. */
function refuseReshaped(
  graph: Graph,
  node: Node,
  known: ReadonlyMap<Value, Known> | undefined,
): void {
  const batch = graph.inputs[0]?.shape?.[0];
  const shape = known?.get(node.inputs[0])?.shape;
  if (typeof batch !== "string" || !shape || typeof shape[0] !== "number") return;
  throw new ModelError(
    `Cannot use the model: node ${
      JSON.stringify(node.name)
    } (BatchNormalization) is in training mode on a tensor of shape [${
      shape.join(", ")
    }], whose first axis is not the batch; export the model for inference, or with InstanceNormalization if that is what it is`,
  );
}
