/**
 * Nodes by which a sample's scores would depend on chance, or on the other samples of its batch.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import { dependents } from "./depends_on.ts";
import { formatShape } from "./dims.ts";
import { type Dim, type Graph, intOf, intsOf, type Known, type Node, type Value } from "./graph.ts";
import { inferShapes, inferShapesInside } from "./shapes.ts";

/** Operators that draw random numbers, by domain. */
const CHANCE: Readonly<Record<string, ReadonlySet<string>>> = {
  "": new Set([
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "Bernoulli",
    "Multinomial",
  ]),
  "com.microsoft": new Set([
    "BiasDropout",
    "BitmaskDropout",
    "BitmaskBiasDropout",
    "Sampling",
    "TorchEmbeddingDropout",
  ]),
};

/**
 * Refuses a graph that draws random numbers, in subgraphs too.
 *
 * @param graph of which only what its outputs need is left
 * @throws {ModelError} naming the first node that does.
 */
export function refuseChance(graph: Graph): void {
  for (const node of allNodes(graph)) {
    if (!CHANCE[node.domain]?.has(node.op)) continue;
    throw new ModelError(
      `Cannot use the model: ${
        named(node)
      } draws random numbers, so that its results differ from run to run; export the model for inference (model.eval() in PyTorch), or without this node`,
    );
  }
}

function* allNodes(graph: Graph): Generator<Node> {
  for (const node of graph.nodes) {
    yield node;
    for (const attribute of Object.values(node.attributes)) {
      if (attribute.kind === "graph") yield* allNodes(attribute.value);
    }
  }
}

function named({ name, op, domain }: Node): string {
  return `node ${JSON.stringify(name)} (${domain === "" ? op : `${domain}.${op}`})`;
}

/**
 * Refuses a graph in which a reduction, a softmax, a normalization or a sort runs over the batch axis. The batch is the first extent of
 * the graph's input; where that is a number over 1, its axis is followed as if it were open, and where it is 1 there is nothing to mix.
 *
 * What cannot be seen from shapes is found when the first batch is run.
 *
 * @param graph of which only what its outputs need is left
 * @throws {ModelError} naming the first node that does.
 */
export function refuseBatchMixing(graph: Graph): void {
  const [input] = graph.inputs;
  const batch = input?.shape?.[0];
  if (!input || batch === undefined || batch === 1) return;
  const symbol = typeof batch === "string" ? batch : "N";
  if (typeof batch === "string") return visitOpen(graph, inferShapes(graph), symbol);
  // What the file states of other tensors has the number in it.
  const open: Graph = {
    ...graph,
    inputs: [{ ...input, shape: [symbol, ...input.shape!.slice(1)] }, ...graph.inputs.slice(1)],
    outputs: graph.outputs.map(({ name, type }) => ({ name, type })),
    stated: new Map(),
  };
  let known: Map<Value, Known>;
  try {
    known = inferShapes(open);
  } catch (error) {
    // A batch that is fixed inside, too.
    if (error instanceof ModelError) return;
    throw error;
  }
  visitOpen(open, known, symbol);
}

/** What counts as an axis of the batch: every axis whose extent mentions it, or only a first one that is it. */
type Reach = "any" | "first";

/** Where the outputs' first extent is a number whatever the batch, that number is baked in, and axes that mention the batch can be a sample's own. */
function visitOpen(graph: Graph, known: Map<Value, Known>, batch: string): void {
  const baked = graph.outputs.some(({ name }) => typeof known.get(name)?.shape?.[0] === "number");
  visit(graph, known, { batch, reach: baked ? "first" : "any", inner: false });
}

function visit(
  graph: Graph,
  known: Map<Value, Known>,
  { batch, reach, inner }: { batch: string; reach: Reach; inner: boolean },
): void {
  const varying = dependents(graph, graph.inputs.map(({ name }) => name));
  for (const node of graph.nodes) {
    for (const attribute of Object.values(node.attributes)) {
      if (attribute.kind !== "graph") continue;
      const scope = inferShapesInside(attribute.value, known);
      visit(attribute.value, scope, { batch, reach, inner: true });
    }
    const [value = ""] = node.inputs;
    const { type, shape } = known.get(value) ?? {};
    // Whole numbers are mostly places and extents. What comes into a subgraph is not followed.
    if (!shape || !type?.startsWith("float") || !(inner || varying.has(value))) continue;
    const axes = axesOf(graph.opset, node, known, shape.length)
      ?.map((axis) => axis < 0 ? axis + shape.length : axis);
    const mixes = reach === "any"
      ? axes?.some((axis) => mentions(shape[axis], batch))
      : axes?.includes(0) && shape[0] === batch;
    if (!mixes) continue;
    throw new ModelError(
      `Cannot use the model: ${named(node)} runs over the batch axis of a tensor of shape ${
        formatShape(shape)
      }, so that a sample's scores depend on the other samples of its batch; export the model with this node on another axis`,
    );
  }
}

function mentions(dim: Dim | undefined, symbol: string): boolean {
  return typeof dim === "string" && dim.split("*").includes(symbol);
}

/** The axes that a node runs over, as counted in it; `undefined` where it runs over none, or they do not follow from the graph. */
export function axesOf(
  opset: number,
  node: Node,
  known: ReadonlyMap<Value, Known>,
  rank: number,
): readonly number[] | undefined {
  if (node.domain !== "") return undefined;
  const all = Array.from({ length: rank }, (_, axis) => axis);
  const from = (axis: number) => all.slice(axis < 0 ? axis + rank : axis);
  const listed = (input: number): readonly number[] | undefined => {
    const elements = known.get(node.inputs[input] ?? "")?.elements;
    return elements?.every((axis) => typeof axis === "number") ? elements : undefined;
  };
  if (node.op.startsWith("Reduce")) {
    const axes = intsOf(node, "axes") ?? (node.inputs[1] ? listed(1) : []);
    if (axes?.length === 0) return intOf(node, "noop_with_empty_axes", 0) ? [] : all;
    return axes;
  }
  switch (node.op) {
    case "Softmax":
    case "LogSoftmax":
    case "Hardmax":
      // Up to operator set 12 all axes from this one on are one.
      return opset < 13 ? from(intOf(node, "axis", 1)) : [intOf(node, "axis", -1)];
    case "ArgMax":
    case "ArgMin":
      return [intOf(node, "axis", 0)];
    case "TopK":
    case "LpNormalization":
      return [intOf(node, "axis", -1)];
    case "CumSum":
    case "CumProd":
      return listed(1);
    case "LayerNormalization":
    case "RMSNormalization":
      return from(intOf(node, "axis", -1));
    case "GroupNormalization":
      return from(1);
    case "InstanceNormalization":
    case "GlobalAveragePool":
    case "GlobalMaxPool":
    case "GlobalLpPool":
      return from(2);
    case "MeanVarianceNormalization":
      return intsOf(node, "axes") ?? [0, 2, 3];
    case "Unique":
      return node.attributes["axis"] ? [intOf(node, "axis", 0)] : all;
    default:
      return undefined;
  }
}
