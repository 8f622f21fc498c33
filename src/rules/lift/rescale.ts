/**
 * DeepLIFT's rescale rule for functions of one input, and its exact counterparts for products and extremes of two.
 *
 * @module
 */

import type { Rule } from "../../onnx/backward.ts";
import type { Node, Value } from "../../onnx/graph.ts";
import { scale, toFirst, unbroadcast, unsupported, whereElseZero } from "../forms.ts";
import {
  type Closeness,
  difference,
  type LiftRule,
  midpoint,
  ratioOr,
  within,
  withinPart,
} from "./rule.ts";

/**
 * y = f(x): m_x = m_y Δy / Δx. Where x and x₀ are close, the slope of f midway between them, which is what the ratio tends
 * to and has none of its rounding.
 *
 * Source: Shrikumar, Greenside & Kundaje, "Learning Important Features Through Propagating Activation Differences" (ICML 2017,
 * arXiv 1704.02685), section 3.5.2.
 *
 * @param gradient the function's gradient rule
 */
function rescale(gradient: Rule, close: Closeness): LiftRule {
  return (b, node, [y], needed, reference) => {
    const [x, ...others] = node.inputs as [Value, ...Value[]];
    if (others.some((input) => reference(input) !== input)) {
      throw unsupported(
        node,
        "another input than its first depends on the target",
        "choose a target layer after it",
      );
    }
    const near = close(b, x, reference(x));
    const dy = difference(b, node.outputs[0], reference);
    const dx = difference(b, x, reference);
    const there = b.op("Where", [near, midpoint(b, x, reference), x]);
    const result = b.ops(node.op, [there, ...others], node.attributes, 1, node.domain);
    const local: Node = { ...node, inputs: [there, ...others], outputs: result };
    const [sloped] = gradient(b, local, [y!], needed);
    const whole = b.op("Mul", [y!, dy]);
    return toFirst(node, ratioOr(b, near, whole, dx, sloped ?? b.op("Mul", [y!, b.scalar(0)])));
  };
}

/**
 * Smooth functions that change on a scale of 1. Over a distance of 1e-2 the slope midway and the ratio in float32 are both right to
 * about 5e-6.
 */
export const smooth = (gradient: Rule): LiftRule => rescale(gradient, within(1e-2));

/** Smooth functions that change on the scale of x itself, such as a logarithm. */
export const scaleless = (gradient: Rule): LiftRule => rescale(finite(gradient), withinPart(5e-3));

/** 0 for a slope that is infinite, such as a root's at 0: there x = x₀, and nothing contributes, but ∞ · 0 would be NaN. */
function finite(gradient: Rule): Rule {
  return (b, node, out, needed) =>
    gradient(b, node, out, needed).map((slope) => {
      if (slope === null) return null;
      const known = b.op("Less", [b.op("Abs", [slope]), b.scalar(LARGEST)]);
      return whereElseZero(b, known, slope);
    });
}

const LARGEST = 3e38;

/** Sqrt: Δy / Δx = 1 / (y + y₀), which nothing cancels in; 0 where x = x₀ = 0, as for every {@linkcode scaleless} function. */
export const squareRoot: LiftRule = (b, node, [m], _needed, reference) => {
  const y = node.outputs[0];
  const sum = b.op("Add", [y, reference(y)]);
  const positive = b.op("Greater", [sum, b.scalar(0)]);
  const safe = b.op("Where", [positive, sum, b.scalar(1)]);
  return toFirst(node, whereElseZero(b, positive, b.op("Div", [m!, safe])));
};

/** Reciprocal: Δy / Δx = −y y₀. */
export const reciprocal: LiftRule = (b, node, [m], _needed, reference) => {
  const y = node.outputs[0];
  return toFirst(node, b.op("Neg", [b.op("Mul", [b.op("Mul", [m!, y]), reference(y)])]));
};

/** Functions with corners, linear in between or nearly: a ratio over a corner is wanted, however close. */
export const cornered = (gradient: Rule): LiftRule => rescale(gradient, withinPart(1e-6));

/**
 * The gradient midway between the passes, exact for products of two values and for squares:
 * xy − x₀y₀ = (x − x₀)(y + y₀)/2 + (y − y₀)(x + x₀)/2.
 *
 * DeepLIFT has no rule for a product of two values that both change (gates, attention); this is the one that treats both
 * alike, the Shapley values of the two; for one of them an inverse see `quotient.ts`. For x · f(x), such as SiLU written as two nodes, it gives exactly the rescale rule of
 * the whole function.
 */
export function atMidpoint(gradient: Rule): LiftRule {
  return (b, node, out, needed, reference) => {
    const inputs = node.inputs.map((input) => input === "" ? "" : midpoint(b, input, reference));
    return gradient(b, { ...node, inputs }, out, needed);
  };
}

/** A linear operator: DeepLIFT's linear rule, whose multipliers are the gradient. */
export const linear = (gradient: Rule): LiftRule => (b, node, out, needed) =>
  gradient(b, node, out, needed);

/**
 * Max and Min of two tensors: what each input changes alone, averaged over both orders in which they change (Shapley
 * values), over its own difference. With one input that changes this is the rescale rule.
 */
export function extremeOfTwo(gradient: Rule): LiftRule {
  return (b, node, [m], needed, reference) => {
    if (node.inputs.length === 1) return [m!];
    if (node.inputs.length > 2) {
      throw unsupported(node, `it has ${node.inputs.length} inputs`, "split it into pairs");
    }
    const inner = node.inputs.map((input) => midpoint(b, input, reference));
    const local: Node = { ...node, inputs: inner, outputs: [b.op(node.op, inner)] };
    const sloped = gradient(b, local, [m!], needed);
    const of = (x: Value, other: Value) => b.op(node.op, [x, other]);
    return node.inputs.map((x, i) => {
      if (!needed[i]) return null;
      const other = node.inputs[1 - i];
      const x0 = reference(x);
      const alone = (at: Value) => b.op("Sub", [of(x, at), of(x0, at)]);
      const changed = reference(other) === other ? alone(other) : scale(
        b,
        b.op("Add", [alone(other), alone(reference(other))]),
        0.5,
      );
      const near = withinPart(1e-6)(b, x, x0);
      const whole = unbroadcast(b, b.op("Mul", [m!, changed]), x);
      return ratioOr(b, near, whole, difference(b, x, reference), sloped[i]!);
    });
  };
}

/** Where, if what it chooses by is the same in both passes. */
export const chosen = (gradient: Rule): LiftRule => (b, node, out, needed, reference) => {
  const condition = node.inputs[0];
  if (reference(condition) === condition) return gradient(b, node, out, needed);
  throw unsupported(
    node,
    "what it chooses by depends on the target",
    "choose a target layer after it",
  );
};
