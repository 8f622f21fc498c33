/**
 * DeepLIFT: the multipliers of every operator we know.
 *
 * Contributions to a change of score, from a reference to the actual activation, add up to that change exactly (up to
 * rounding): each rule keeps Σ m Δx. Linear operators have their gradient's rules, functions of one value the rescale rule.
 *
 * Source: Shrikumar, Greenside & Kundaje, "Learning Important Features Through Propagating Activation Differences" (ICML 2017,
 * arXiv 1704.02685), sections 3.2 and 3.5.
 *
 * @module
 */

import type { Rule } from "../../onnx/backward.ts";
import * as expansions from "../expansions.ts";
import { GRADIENT_RULES } from "../gradient/mod.ts";
import { expanded } from "./expanded.ts";
import { product, quotient } from "./quotient.ts";
import {
  atMidpoint,
  chosen,
  cornered,
  extremeOfTwo,
  linear,
  reciprocal,
  scaleless,
  smooth,
  squareRoot,
} from "./rescale.ts";
import type { LiftRule, LiftTable } from "./rule.ts";
import { logSoftmax, logSumExp, softmax } from "./softmax.ts";
import { winner } from "./winner.ts";

type Op = keyof typeof GRADIENT_RULES;

/** Rules made from the gradient's of the same operators. */
function made(from: (gradient: Rule) => LiftRule, ...ops: readonly Op[]): LiftTable {
  return Object.fromEntries(ops.map((op) => [op, from(GRADIENT_RULES[op])]));
}

const written = (expansion: expansions.Expansion): LiftRule =>
  expanded(expansion, () => LIFT_RULES);

/** DeepLIFT's rules by operator. */
export const LIFT_RULES: LiftTable = {
  ...made(
    linear,
    ...["Conv", "ConvTranspose", "AveragePool", "GlobalAveragePool", "BatchNormalization"] as const,
    ...["Neg", "Add", "Sub", "Sum", "Mean", "Expand", "Identity", "Dropout"] as const,
    ...["ReduceSum", "ReduceMean", "Resize", "Upsample"] as const,
    ...["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Split"] as const,
    ...["Slice", "Pad", "Gather", "Tile", "Cast", "SpaceToDepth", "DepthToSpace"] as const,
  ),
  ...made(atMidpoint, "Gemm", "MatMul", "ReduceSumSquare"),
  ...made(product, "Mul"),
  Div: quotient,
  ...made(chosen, "Where"),
  ...made(winner, "MaxPool", "GlobalMaxPool", "ReduceMax"),
  ReduceMin: winner(GRADIENT_RULES.ReduceMin, "Greater"),
  ...made(extremeOfTwo, "Max", "Min"),
  ...made(
    smooth,
    ...["Sigmoid", "Tanh", "Softplus", "Softsign", "Mish", "Gelu", "com.microsoft.Gelu"] as const,
    ...["Exp", "Erf", "Sin", "Cos"] as const,
  ),
  ...made(scaleless, "Log", "Pow"),
  Sqrt: squareRoot,
  Reciprocal: reciprocal,
  ...made(
    cornered,
    ...["Relu", "Clip", "HardSigmoid", "HardSwish", "LeakyRelu", "PRelu", "Elu", "Selu"] as const,
    ...["Celu", "ThresholdedRelu", "Abs", "Floor", "Ceil", "Round", "Sign"] as const,
  ),
  Softmax: softmax,
  LogSoftmax: logSoftmax,
  ReduceLogSumExp: logSumExp,
  LayerNormalization: written(expansions.layerNormalization),
  InstanceNormalization: written(expansions.instanceNormalization),
  GroupNormalization: written(expansions.groupNormalization),
  LpNormalization: written(expansions.lpNormalization),
  LRN: written(expansions.lrn),
  ReduceL1: written(expansions.reduceL1),
  ReduceL2: written(expansions.reduceL2),
};
