/**
 * DeepLIFT through Softmax and its relatives, exactly.
 *
 * @module
 */

import type { GraphBuilder, Value } from "../../onnx/graph.ts";
import { reduceMax, reduceSum, scale, toFirst, unsqueeze } from "../forms.ts";
import { keptAxes, reducedAxes } from "../gradient/reduce.ts";
import { normalisedAxes } from "../gradient/softmax.ts";
import { type LiftRule, ratioOr, type Reference, within } from "./rule.ts";

/** (eᵃ − eᵇ) / (a − b), the logarithmic mean of two exponentials: what Δeˣ/Δx is. */
function logarithmicMean(b: GraphBuilder, x: Value, x0: Value): Value {
  const middle = b.op("Exp", [scale(b, b.op("Add", [x, x0]), 0.5)]);
  const dy = b.op("Sub", [b.op("Exp", [x]), b.op("Exp", [x0])]);
  return ratioOr(b, within(1e-2)(b, x, x0), dy, b.op("Sub", [x, x0]), middle);
}

/**
 * How the change of log Σ eˣ is shared: weights w with Σ w Δx = Δ log Σ eˣ, by the rescale rule of exponential and logarithm,
 * w_j = L(e^x_j, e^x₀_j) / L(S, S₀) with L the logarithmic mean and S = Σ eˣ.
 */
function logSumWeights(
  b: GraphBuilder,
  x: Value,
  axes: readonly number[],
  reference: Reference,
): { weights: Value; total: Value; total0: Value } {
  const x0 = reference(x);
  const logSum = (value: Value) => {
    const highest = reduceMax(b, value, axes);
    const exps = b.op("Exp", [b.op("Sub", [value, highest])]);
    return b.op("Add", [highest, b.op("Log", [reduceSum(b, exps, axes)])]);
  };
  const total = logSum(x), total0 = logSum(x0);
  // One shift for both passes: it cancels in w, and keeps exponentials in range.
  const shift = reduceMax(b, b.op("Max", [x, x0]), axes);
  const shifted = (value: Value) => b.op("Sub", [value, shift]);
  const each = logarithmicMean(b, shifted(x), shifted(x0));
  const all = logarithmicMean(b, shifted(total), shifted(total0));
  return { weights: b.op("Div", [each, all]), total, total0 };
}

/**
 * Softmax, p = e^(x − log Σ eˣ): m_j = u_j − w_j Σ_k u_k with u_k = m_k L(p_k, p₀_k) and w as in {@linkcode logSumWeights}. It has the
 * form of the gradient, with logarithmic means of both passes where the gradient has probabilities; Σ m Δx = Σ m_p Δp exactly.
 *
 * The DeepLIFT paper (section 3.6) explains logits instead; this is the rescale rule applied to the parts of the function.
 */
export const softmax: LiftRule = (b, node, [m], _needed, reference) => {
  const x = node.inputs[0];
  const axes = normalisedAxes(b, node);
  const { weights, total, total0 } = logSumWeights(b, x, axes, reference);
  const log = b.op("Sub", [x, total]), log0 = b.op("Sub", [reference(x), total0]);
  const scaled = b.op("Mul", [m!, logarithmicMean(b, log, log0)]);
  return toFirst(node, withoutShare(b, scaled, weights, axes));
};

/** LogSoftmax: m_j = m_j − w_j Σ_k m_k. */
export const logSoftmax: LiftRule = (b, node, [m], _needed, reference) => {
  const axes = normalisedAxes(b, node);
  const { weights } = logSumWeights(b, node.inputs[0], axes, reference);
  return toFirst(node, withoutShare(b, m!, weights, axes));
};

function withoutShare(b: GraphBuilder, m: Value, weights: Value, axes: readonly number[]): Value {
  return b.op("Sub", [m, b.op("Mul", [weights, reduceSum(b, m, axes)])]);
}

/** ReduceLogSumExp: the shares of the change. */
export const logSumExp: LiftRule = (b, node, [m], _needed, reference) => {
  const axes = reducedAxes(b, node);
  const { weights } = logSumWeights(b, node.inputs[0], axes, reference);
  return toFirst(node, b.op("Mul", [weights, keptAxes(node) ? m! : unsqueeze(b, m!, axes)]));
};
