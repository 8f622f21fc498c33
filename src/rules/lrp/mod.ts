/**
 * Layer-wise relevance propagation: the rules of every operator, given a composite.
 *
 * Relevance is conserved: what reaches the target and what is absorbed by biases, stabilisers and what does not depend on the target, both
 * computed, add up to the score.
 *
 * Source: Bach et al., "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation" (PLoS ONE
 * 10(7), 2015); Montavon et al., "Layer-Wise Relevance Propagation: An Overview" (LNCS 11700, chapter 10, 2019).
 *
 * @module
 */

import { pullBack, type Rule } from "../../onnx/backward.ts";
import type { GraphBuilder, Node } from "../../onnx/graph.ts";
import { ancestors } from "../../onnx/depends_on.ts";
import * as expansions from "../expansions.ts";
import { onlyInputs, toFirst, unsupported } from "../forms.ts";
import { GRADIENT_RULES } from "../gradient/mod.ts";
import {
  chosen,
  extreme,
  joined,
  matrixProduct,
  moved,
  padded,
  passed,
  product,
  quotient,
  sumRule,
} from "./arithmetic.ts";
import { type Composite, COMPOSITES, type LayerKind, ruleOf, TINY } from "./composites.ts";
import { applyLinear } from "./linear.ts";
import { absorbingInto, type LrpRule, type LrpTable } from "./rule.ts";

type Op = keyof typeof GRADIENT_RULES;

/** One rule for several operators, made from the gradient's rule where it needs that. */
function each(rule: (gradient: Rule) => LrpRule, ...ops: readonly Op[]): LrpTable {
  return Object.fromEntries(ops.map((op) => [op, rule(GRADIENT_RULES[op])]));
}

const ones = (node: Node) => node.inputs.map(() => 1);

/** The rules that no composite changes. */
const FIXED: LrpTable = {
  ...each(
    () => passed,
    ...[
      "Relu",
      "Clip",
      "Sigmoid",
      "Tanh",
      "HardSigmoid",
      "HardSwish",
      "LeakyRelu",
      "PRelu",
    ] as const,
    ...["Elu", "Selu", "Celu", "ThresholdedRelu", "Softplus", "Softsign", "Mish", "Gelu"] as const,
    ...[
      "com.microsoft.Gelu",
      "Neg",
      "Abs",
      "Exp",
      "Log",
      "Sqrt",
      "Reciprocal",
      "Erf",
      "Sin",
    ] as const,
    // Divided by what only weighs the signal.
    ...["Cos", "Pow", "LRN", "LpNormalization"] as const,
  ),
  ...each(
    moved,
    ...[
      "Reshape",
      "Flatten",
      "Squeeze",
      "Unsqueeze",
      "Transpose",
      "Split",
      "Slice",
    ] as const,
    ...["Gather", "Tile", "Expand", "Cast", "SpaceToDepth", "DepthToSpace", "Identity"] as const,
    ...["Dropout", "MaxPool", "GlobalMaxPool", "ReduceMax", "ReduceMin"] as const,
  ),
  Max: extreme("Less"),
  Min: extreme("Greater"),
  Concat: joined,
  Add: sumRule(ones, TINY),
  Sum: sumRule(ones, TINY),
  Sub: sumRule(() => [1, -1], TINY),
  Mean: sumRule((node) => node.inputs.map(() => 1 / node.inputs.length), TINY),
  Mul: product,
  Div: quotient,
  Where: chosen,
  Pad: padded,
  LayerNormalization: written(expansions.layerNormalization),
  InstanceNormalization: written(expansions.instanceNormalization),
  GroupNormalization: written(expansions.groupNormalization),
};

/** Operators that a composite chooses a rule for. */
const LAYERS: Readonly<Partial<Record<Op, LayerKind>>> = {
  Conv: "convolution",
  ConvTranspose: "convolution",
  Gemm: "dense",
  MatMul: "dense",
  AveragePool: "pooling",
  GlobalAveragePool: "pooling",
  ReduceMean: "pooling",
  ReduceSum: "pooling",
  Resize: "pooling",
  Upsample: "pooling",
  BatchNormalization: "normalisation",
};

/**
 * The rules under a composite.
 *
 * @param toInput whether the walk ends at the network's input: only then there are first layers
 */
export function lrpRules(composite: Composite, toInput: boolean): LrpTable {
  const layers = Object.entries(LAYERS).map(([op, kind]): [string, LrpRule] => [
    op,
    (b, node, out, needed, absorb) => {
      if (op === "MatMul" && needed[0] && needed[1]) {
        return matrixProduct(TINY)(b, node, out, needed, absorb);
      }
      const rule = ruleOf(composite, kind, toInput && isFirst(b, node));
      return applyLinear(rule, b, node, out[0]!, needed, absorb);
    },
  ]);
  return { ...FIXED, ...Object.fromEntries(layers) };
}

/** Whether no other layer with weights lies in front of a node. */
function isFirst(b: GraphBuilder, node: Node): boolean {
  const before = ancestors(b.graph, node.inputs.filter((input) => input !== ""));
  return !b.graph.nodes.some(({ op, domain, outputs }) =>
    domain === "" && (op === "MatMul" || LAYERS[op as Op] === "convolution" || op === "Gemm") &&
    outputs.some((output) => before.has(output))
  );
}

/** A normalisation written out: its deviation is a denominator, and gets no relevance (Ali et al. 2022, arXiv 2202.07304). */
function written(expansion: expansions.Expansion): LrpRule {
  return (b, node, [relevance, ...further], needed, absorb) => {
    onlyInputs(node, needed, 0);
    if (further.some((value) => value !== null)) {
      throw unsupported(node, "a further output of it is used", "choose a target layer after it");
    }
    const x = node.inputs[0];
    const of = expansion(b, node, x);
    const table = absorbingInto(lrpRules(COMPOSITES.epsilon, false), absorb);
    return toFirst(node, pullBack(b, table, { of, cotangent: relevance!, to: [x] })[0]);
  };
}
