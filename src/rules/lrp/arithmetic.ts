/**
 * LRP through arithmetic between tensors, and through what only passes relevance on.
 *
 * @module
 */

import type { Rule } from "../../onnx/backward.ts";
import { type GraphBuilder, type Node, producers, type Value } from "../../onnx/graph.ts";
import { ancestors } from "../../onnx/depends_on.ts";
import { attributesOf, scale, unbroadcast, whereElseZero, zeroWhere } from "../forms.ts";
import { GRADIENT_RULES } from "../gradient/mod.ts";
import { type LrpRule, stabilised, stabiliser } from "./rule.ts";

/**
 * A function of each element: relevance passes unchanged (Bach et al. 2015, section 2.4). It goes to the first input, and to a further
 * one, such as an exponent, where only that carries any.
 */
export const passed: LrpRule = (b, node, [relevance], needed) =>
  toFirstNeeded(b, node, relevance!, needed);

function toFirstNeeded(
  b: GraphBuilder,
  node: Node,
  relevance: Value,
  needed: readonly boolean[],
): (Value | null)[] {
  const index = needed.indexOf(true);
  return node.inputs.map((x, i) => i === index ? unbroadcast(b, relevance, x) : null);
}

/** What the gradient does, for operators of one tensor that only move or choose elements: relevance goes where the element came from. */
export const moved = (gradient: Rule): LrpRule => (b, node, out, needed) =>
  gradient(b, node, out, needed);

/** Concat: each input gets its own part; that of an input which carries none, such as what crosses the cut, is lost. */
export const joined: LrpRule = (b, node, [relevance], needed, absorb) => {
  const parts = GRADIENT_RULES.Concat(b, node, [relevance!], node.inputs.map(() => true));
  return parts.map((part, i) => {
    if (needed[i]) return part;
    absorb(part!);
    return null;
  });
};

/** Sums of several tensors, Σ_i c_i x_i: each gets its share of the result, as in a linear layer under the ε-rule. */
export function sumRule(coefficients: (node: Node) => readonly number[], epsilon: number): LrpRule {
  return (b, node, [relevance], needed, absorb) => {
    const z = node.outputs[0];
    const s = b.op("Div", [relevance!, stabilised(b, z, epsilon)]);
    absorb(b.op("Mul", [s, stabiliser(b, z, epsilon)]));
    const factors = coefficients(node);
    return node.inputs.map((x, i) => {
      const part = b.op("Mul", [s, scale(b, x, factors[i])]);
      if (needed[i]) return unbroadcast(b, part, x);
      absorb(part);
      return null;
    });
  };
}

/** Where: relevance follows the branch that was taken. */
export const chosen: LrpRule = (b, node, [relevance], needed, absorb) => {
  const condition = node.inputs[0];
  if (!needed[1]) absorb(whereElseZero(b, condition, relevance!));
  if (!needed[2]) absorb(zeroWhere(b, condition, relevance!));
  return GRADIENT_RULES.Where(b, node, [relevance!], needed);
};

/** Pad: what a border of constants got is lost. */
export const padded: LrpRule = (b, node, [relevance], needed, absorb) => {
  const [x, ...others] = node.inputs as [Value, ...Value[]];
  const ones = b.op("Add", [b.op("Mul", [x, b.scalar(0)]), b.scalar(1)]);
  // The border is 0 whatever the node's own is.
  const inputs = b.graph.opset < 11 ? [ones] : [ones, others[0]];
  if (others[2]) inputs.push("", others[2]);
  const inside = b.op("Pad", inputs, attributesOf(node, "mode", "pads"));
  absorb(b.op("Mul", [relevance!, b.op("Sub", [b.scalar(1), inside])]));
  return GRADIENT_RULES.Pad(b, node, [relevance!], needed);
};

/**
 * Max and Min: to the extreme one, in equal parts where several are equal, and lost where that carries none. Bounds that are the same
 * for every input pass all on to the one tensor that they bound, like an activation.
 *
 * @param further the comparison that holds between an input which is not the extreme and the result
 */
export function extreme(further: "Less" | "Greater"): LrpRule {
  return (b, node, [relevance], needed, absorb) => {
    const others = node.inputs.filter((_, i) => !needed[i]);
    if (others.length === node.inputs.length - 1 && isFixed(b, others)) {
      return toFirstNeeded(b, node, relevance!, needed);
    }
    const passedBy = node.inputs.map((x) => b.op(further, [x, node.outputs[0]]));
    const count = passedBy
      .map((mask) => zeroWhere(b, mask, b.scalar(1)))
      .reduce((a, c) => b.op("Add", [a, c]));
    const share = b.op("Div", [relevance!, count]);
    return node.inputs.map((x, i) => {
      const part = zeroWhere(b, passedBy[i], share);
      if (needed[i]) return unbroadcast(b, part, x);
      absorb(part);
      return null;
    });
  };
}

/** Whether values are the same whatever is fed. */
function isFixed(b: GraphBuilder, values: readonly Value[]): boolean {
  const before = ancestors(b.graph, values);
  return !b.graph.inputs.some(({ name }) => before.has(name));
}

/** Ops whose results only weigh something else. */
const GATES = new Set(["Sigmoid", "HardSigmoid", "Softmax", "Tanh", "Erf"]);
const SHAPE_ONLY = new Set([
  ...["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", "Transpose", "Identity", "Dropout"],
  "Cast",
]);
const SCALING = new Set(["Add", "Sub", "Mul", "Div"]);

/** Whether a value is a gate: bounded, and made to be multiplied with. Looked for through shapes and constants. */
function isGate(b: GraphBuilder, made: ReadonlyMap<Value, Node>, value: Value): boolean {
  const node = made.get(value);
  if (!node || node.domain !== "") return false;
  if (GATES.has(node.op)) return true;
  if (node.op === "Clip") {
    // ReLU6 (x + 3) / 6, the hard sigmoid of some exporters; a ReLU6 alone has no shift in front of it.
    return made.get(node.inputs[0])?.op === "Add";
  }
  if (SHAPE_ONLY.has(node.op)) return isGate(b, made, node.inputs[0]);
  if (!SCALING.has(node.op)) return false;
  const computed = node.inputs.filter((input) => b.weight(input) === undefined);
  return computed.length === 1 && isGate(b, made, computed[0]);
}

/** Which of two factors carry relevance: the signal and not the gate; both where neither is one. */
function signals(b: GraphBuilder, node: Node, needed: readonly boolean[]): number[] {
  const both = [0, 1].filter((i) => needed[i]);
  if (both.length < 2) return both;
  const made = producers(b.graph);
  const gates = node.inputs.map((input) => isGate(b, made, input));
  if (gates[0] !== gates[1]) return [gates[0] ? 1 : 0];
  if (node.op === "MatMul") return both;
  const whole = b.shape(node.outputs[0]).join();
  const full = both.filter((i) => b.shape(node.inputs[i]).join() === whole);
  return full.length === 1 ? full : both;
}

/**
 * Mul: all relevance to the signal, none to its gate (Arras et al. 2017, arXiv 1706.07206, "signal take all"). A gate is what
 * comes from a sigmoid, softmax, tanh or erf, or is broadcast; two factors of which neither is one get half each (Achtibat et
 * al. 2024, arXiv 2402.05602, proposition 3.4). A factor that
 * carries none, a constant or what crosses the cut, is a weight of the other, which gets all.
 */
export const product: LrpRule = (b, node, [relevance], needed) => {
  const to = signals(b, node, needed);
  const part = scale(b, relevance!, 1 / to.length);
  return node.inputs.map((x, i) => to.includes(i) ? unbroadcast(b, part, x) : null);
};

/** Div: all relevance to the numerator; to the denominator where only that carries any. */
export const quotient: LrpRule = (b, node, [relevance], needed) =>
  toFirstNeeded(b, node, relevance!, needed);

/** MatMul of two values that both carry relevance, attention among them: as for Mul, within each by the ε-rule. */
export function matrixProduct(epsilon: number): LrpRule {
  return (b, node, [relevance], needed, absorb) => {
    const to = signals(b, node, needed);
    const z = node.outputs[0];
    const s = b.op("Div", [relevance!, stabilised(b, z, epsilon)]);
    absorb(b.op("Mul", [s, stabiliser(b, z, epsilon)]));
    const flags = [0, 1].map((i) => to.includes(i));
    return GRADIENT_RULES.MatMul(b, node, [s], flags).map((found, i) =>
      found === null ? null : scale(b, b.op("Mul", [node.inputs[i], found]), 1 / to.length)
    );
  };
}
