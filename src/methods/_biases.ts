/**
 * Where a network adds constants, and how a score splits into the shares of its input and of these.
 *
 * @module
 */

import {
  floatOf,
  type Graph,
  type GraphBuilder,
  intOf,
  type Node,
  type Value,
} from "../onnx/graph.ts";
import { type Arrangement, arrangement } from "../onnx/axis_factors.ts";
import { ancestors, dependents } from "../onnx/depends_on.ts";
import { traceAxes } from "../onnx/image_axes.ts";
import { backwardGraph, pullBack, ruleKey, type RuleTable } from "../onnx/backward.ts";
import { builderOn } from "../onnx/shapes.ts";
import { reduceMax, reduceSum, scale, unsqueeze } from "../rules/forms.ts";
import { GRADIENT_RULES } from "../rules/gradient/mod.ts";

/** The tables' rules by any name. */
const RULES: RuleTable = GRADIENT_RULES;

/** Keeps a channel that is constant from dividing by 0; pytorch-grad-cam's value. */
const EPSILON = 1e-7;

/** What a backward graph is written for. */
export interface Ends {
  readonly score: Value;
  readonly input: Value;
}

/**
 * Layers between input and score with a bias for each channel of a map: the value that comes out of each, in the order of the
 * graph.
 */
function biasLayers(graph: Graph, ends: Ends): Value[] {
  // On a copy: finding a bias may add the nodes that compute it.
  const b = builderOn({
    ...graph,
    nodes: [...graph.nodes],
    initializers: new Map(graph.initializers),
  });
  return channelBiases(b, ends).map(({ output }) => output);
}

/**
 * The graph of FullGrad's maps: inputs are the network's and `cotangent`; outputs `share 0` [N, H, W] for the input and
 * `share 1` … [N, h, w] for each of {@linkcode biasLayers}: |input ⊙ gradient| or |bias ⊙ gradient|, each channel min-max
 * normalised by itself, summed over channels.
 *
 * @throws {UnsupportedOpError} when an operator has no rule.
 */
export function sharesGraph(graph: Graph, ends: Ends): Graph {
  const { score, input } = ends;
  const outputs = ["share 0", ...biasLayers(graph, ends).map((_, i) => `share ${i + 1}`)];
  return backwardGraph(graph, { score, target: input, outputs }, (b, cotangent) => {
    const layers = channelBiases(b, ends);
    const [own, ...found] = pullBack(b, GRADIENT_RULES, {
      of: score,
      cotangent,
      to: [input, ...layers.map(({ output }) => output)],
    });
    const shares = [[own, input], ...layers.map(({ bias }, i) => [found[i], bias])];
    return shares.map(([gradient, factor]) => {
      // A layer without a gradient (before a rounding, say) has no share.
      const product = gradient ? b.op("Mul", [gradient, factor!]) : scale(b, input, 0);
      return sumOfScaledChannels(b, b.op("Abs", [product]));
    });
  });
}

/** (x − min) / (max − min + ε) of each channel, summed: [N, C, H, W] to [N, H, W]. */
function sumOfScaledChannels(b: GraphBuilder, x: Value): Value {
  const low = b.op("Neg", [reduceMax(b, b.op("Neg", [x]), [2, 3])]);
  const above = b.op("Sub", [x, low]);
  const range = b.op("Add", [reduceMax(b, above, [2, 3]), b.scalar(EPSILON)]);
  return reduceSum(b, b.op("Div", [above, range]), [1], false);
}

/**
 * The graph of FullGrad's terms: outputs `input term`, `bias term` and `implicit term`, each [N], which sum to Σ cotangent · score.
 *
 * The implicit biases are those of functions that are not positively homogeneous (so called in the paper): what a node y = φ(x) adds
 * beyond its linear part, y − J x. ReLU, pooling and rearrangements have none. Biases in the narrow sense (of convolutions, normalisations,
 * linear layers and added constants) are taken from the weights themselves, so that on a network of these and ReLUs the sum is a check;
 * implicit ones are what the gradient leaves over, node by node, and say nothing about that node's own gradient.
 *
 * @throws {UnsupportedOpError} when an operator has no rule.
 */
export function termsGraph(graph: Graph, { score, input }: Ends): Graph {
  const outputs = ["input term", "bias term", "implicit term"];
  return backwardGraph(graph, { score, target: input, outputs }, (b, cotangent) => {
    const nodes = [...b.graph.nodes];
    const varying = floating(b, dependents(b.graph, [input]));
    const values = [...varying];
    const found = pullBack(b, GRADIENT_RULES, { of: score, cotangent, to: values });
    const gradients = new Map(values.map((value, i) => [value, found[i] ?? null]));
    const explicit: Value[] = [], implicit: Value[] = [];
    for (const node of nodes) {
      const out = node.outputs.map((output) => gradients.get(output) ?? null);
      if (out.every((value) => value === null)) continue;
      const reads = node.inputs.map((value) => varying.has(value));
      const bias = biasOf(b, node, reads);
      if (bias) explicit.push(rowSum(b, b.op("Mul", [out[0]!, bias])));
      else if (!isHomogeneous(node, reads)) implicit.push(...defect(b, node, out, reads));
    }
    const none = rowSum(b, scale(b, gradients.get(input) ?? input, 0));
    const total = (terms: readonly Value[]) => terms.reduce((a, c) => b.op("Add", [a, c]), none);
    const own = gradients.get(input);
    return [own ? rowSum(b, b.op("Mul", [own, input])) : none, total(explicit), total(implicit)];
  });
}

/** Of a node's output cotangents c: ⟨c, y⟩ − Σ ⟨the cotangent it gives an input, that input⟩ = ⟨c, y − J x⟩, as terms [N]. */
function defect(
  b: GraphBuilder,
  node: Node,
  out: readonly (Value | null)[],
  reads: readonly boolean[],
): Value[] {
  const terms: Value[] = [];
  node.outputs.forEach((output, i) => {
    if (out[i]) terms.push(rowSum(b, b.op("Mul", [out[i], output])));
  });
  RULES[ruleKey(node)](b, node, out, reads).forEach((cotangent, i) => {
    if (!cotangent || !reads[i]) return;
    terms.push(b.op("Neg", [rowSum(b, b.op("Mul", [cotangent, node.inputs[i]]))]));
  });
  return terms;
}

/** Sums all but the first axis, [N]. */
function rowSum(b: GraphBuilder, x: Value): Value {
  return reduceSum(b, b.op("Flatten", [x]), [1], false);
}

function floating(b: GraphBuilder, values: ReadonlySet<Value>): Set<Value> {
  return new Set([...values].filter((value) => b.known.get(value)?.type === "float32"));
}

/** Arrangements of tensors of rank 4 that are no maps [N, C, h, w]. */
const NO_MAPS: ReadonlySet<Arrangement> = new Set(
  ["batched", "exchanged", "channels-last", "listed"],
);

/** Biases of one number a channel on maps, as values that broadcast over [N, C, H, W]. */
function channelBiases(
  b: GraphBuilder,
  { score, input }: Ends,
): { output: Value; bias: Value }[] {
  const varying = dependents(b.graph, [input]);
  const used = ancestors(b.graph, [score]);
  const axes = traceAxes(b.graph, b.known, input);
  const found: { output: Value; bias: Value }[] = [];
  for (const node of [...b.graph.nodes]) {
    const reads = node.inputs.map((value) => varying.has(value));
    const output = node.outputs[0];
    const shape = b.known.get(output)?.shape;
    if (!used.has(output) || !reads.includes(true) || shape?.length !== 4) continue;
    // Windows as samples of a batch, and maps on their side, have no place as [N, C, h, w].
    const lies = axes.get(output);
    if (lies && NO_MAPS.has(arrangement(lies))) continue;
    const bias = biasOf(b, node, reads);
    if (!bias) continue;
    // An added number that is the same for all channels is not a layer's bias (LRN's 1, a shift of the input).
    const [channels, ...rest] = b.shape(bias).slice(-3);
    if (b.shape(bias).length < 3 || rest.some((extent) => extent !== 1)) continue;
    if (channels !== shape[1] || (node.op === "Add" || node.op === "Sub") && channels === 1) {
      continue;
    }
    found.push({ output, bias });
  }
  return found;
}

/** The constant that a node adds to a linear function of its varying input, or undefined where it is not of that form. */
function biasOf(b: GraphBuilder, node: Node, reads: readonly boolean[]): Value | undefined {
  if (node.domain !== "" || reads.filter(Boolean).length !== 1) return undefined;
  const [first, second, third] = node.inputs;
  /** [C] as [C, 1, …], to go with a map. */
  const perChannel = (x: Value) => {
    const extra = b.shape(node.outputs[0]).length - 2;
    return unsqueeze(b, x, Array.from({ length: extra }, (_, i) => i + 1));
  };
  switch (node.op) {
    case "Conv":
    case "ConvTranspose":
      return reads[0] && third ? perChannel(third) : undefined;
    case "BatchNormalization": {
      if (!reads[0] || intOf(node, "training_mode", 0) !== 0) return undefined;
      const [, factor, shift, mean, variance] = node.inputs as [Value, Value, Value, Value, Value];
      const deviation = b.op("Sqrt", [
        b.op("Add", [variance, b.scalar(floatOf(node, "epsilon", 1e-5))]),
      ]);
      const moved = b.op("Div", [b.op("Mul", [mean, factor]), deviation]);
      return perChannel(b.op("Sub", [shift, moved]));
    }
    case "Gemm":
      return !reads[2] && third ? scale(b, third, floatOf(node, "beta", 1)) : undefined;
    case "Add":
      return reads[0] ? second : first;
    case "Sub":
      return reads[0] ? b.op("Neg", [second!]) : first;
    default:
      return undefined;
  }
}

/** Functions with φ(t x) = t φ(x) for t > 0, so that y = J x; of the first input, the others being settings. */
const HOMOGENEOUS = new Set([
  ...["Relu", "LeakyRelu", "PRelu", "Neg", "Abs", "Identity", "Dropout"],
  ...["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"],
  ...["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"],
  ...["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Split", "Slice", "Gather"],
  ...["Tile", "Expand", "DepthToSpace", "SpaceToDepth"],
]);
/** The same, of all their inputs together. */
const JOINTLY_HOMOGENEOUS = new Set(["Add", "Sub", "Sum", "Mean", "Max", "Min", "Concat"]);
/** Products, which are linear in one varying factor. */
const PRODUCTS = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul", "Mul", "Div"]);

/** Whether a node without a bias has no implicit one either. */
function isHomogeneous(node: Node, reads: readonly boolean[]): boolean {
  if (node.domain !== "") return false;
  if (JOINTLY_HOMOGENEOUS.has(node.op)) return reads.every(Boolean);
  const alone = reads.filter(Boolean).length === 1;
  if (PRODUCTS.has(node.op)) {
    return alone && (reads[0] || node.op === "Mul" || node.op === "MatMul");
  }
  return HOMOGENEOUS.has(node.op) && alone && reads[0];
}
