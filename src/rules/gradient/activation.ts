/**
 * Gradients of functions of one element.
 *
 * Where a function has a corner, its gradient there is PyTorch's. Slopes are written with the function's result where that
 * saves work: the forward pass has it anyway.
 *
 * @module
 */

import { floatOf, type GraphBuilder, stringOf, type Value } from "../../onnx/graph.ts";
import type { Rule } from "../../onnx/backward.ts";
import { onlyInputs, scale, toFirst, whereElseZero, zeroWhere } from "../forms.ts";

/** A rule from a function's slope at x, with result y. */
function slope(of: (b: GraphBuilder, x: Value, y: Value) => Value): Rule {
  return (b, node, [y]) => toFirst(node, b.op("Mul", [y!, of(b, node.inputs[0], node.outputs[0])]));
}

/** 1 − x. */
function oneMinus(b: GraphBuilder, x: Value): Value {
  return b.op("Sub", [b.scalar(1), x]);
}

/** x + c. */
function plus(b: GraphBuilder, x: Value, c: number): Value {
  return b.op("Add", [x, b.scalar(c)]);
}

function squared(b: GraphBuilder, x: Value): Value {
  return b.op("Mul", [x, x]);
}

/** Relu: passes where the result is over 0; nothing passes at exactly 0. */
export const relu: Rule = (b, node, [y]) =>
  toFirst(node, whereElseZero(b, b.op("Greater", [node.outputs[0], b.scalar(0)]), y!));

/** Clip: passes between the bounds and at them (PyTorch's `clamp`). */
export const clip: Rule = (b, node, [y], needed) => {
  onlyInputs(node, needed, 0);
  const x = node.inputs[0];
  const old = b.graph.opset < 11;
  const bound = (name: "min" | "max", input: number): Value | undefined => {
    if (!old) return node.inputs[input] || undefined;
    return node.attributes[name] ? b.scalar(floatOf(node, name, 0)) : undefined;
  };
  const low = bound("min", 1);
  const high = bound("max", 2);
  let passed = y!;
  if (low) passed = zeroWhere(b, b.op("Less", [x, low]), passed);
  if (high) passed = zeroWhere(b, b.op("Greater", [x, high]), passed);
  return toFirst(node, passed);
};

/** Sigmoid: y (1 − y), as t / (1 + t)² with t = e^−|x|, since 1 − y has no digits left where y is near 1. */
export const sigmoid = slope((b, x) => {
  const t = b.op("Exp", [b.op("Neg", [b.op("Abs", [x])])]);
  return b.op("Div", [t, squared(b, plus(b, t, 1))]);
});

/** Tanh: 1 − y². */
export const tanh = slope((b, _x, y) => oneMinus(b, squared(b, y)));

/** HardSigmoid, max(0, min(1, αx + β)): α strictly between the bounds. */
export const hardSigmoid: Rule = (b, node, [y]) => {
  const result = node.outputs[0];
  const sloped = scale(b, y!, floatOf(node, "alpha", 0.2));
  const below = whereElseZero(b, b.op("Less", [result, b.scalar(1)]), sloped);
  return toFirst(node, whereElseZero(b, b.op("Greater", [result, b.scalar(0)]), below));
};

/** HardSwish, x max(0, min(1, x/6 + ½)): 0 up to −3, 1 from 3 on, x/3 + ½ between. */
export const hardSwish: Rule = (b, node, [y]) => {
  const x = node.inputs[0];
  const middle = b.op("Mul", [y!, plus(b, scale(b, x, 1 / 3), 0.5)]);
  const below = b.op("Where", [b.op("Less", [x, b.scalar(3)]), middle, y!]);
  return toFirst(node, whereElseZero(b, b.op("Greater", [x, b.scalar(-3)]), below));
};

/** Where x > 0 the cotangent times `positive`, elsewhere times `other(x)`. */
function sided(
  b: GraphBuilder,
  x: Value,
  y: Value,
  positive: number,
  other: Value,
): Value {
  const over = b.op("Greater", [x, b.scalar(0)]);
  return b.op("Where", [over, scale(b, y, positive), b.op("Mul", [y, other])]);
}

/** LeakyRelu: 1 over 0, else α. */
export const leakyRelu: Rule = (b, node, [y]) =>
  toFirst(node, sided(b, node.inputs[0], y!, 1, b.scalar(floatOf(node, "alpha", 0.01))));

/** PRelu with respect to x: 1 over 0, else the slope. */
export const pRelu: Rule = (b, node, [y], needed) => {
  onlyInputs(node, needed, 0);
  return toFirst(node, sided(b, node.inputs[0], y!, 1, node.inputs[1]));
};

/** Elu: 1 over 0, else α eˣ. */
export const elu: Rule = (b, node, [y]) => {
  const x = node.inputs[0];
  return toFirst(node, sided(b, x, y!, 1, expBelow(b, x, floatOf(node, "alpha", 1))));
};

/** Selu: γ over 0, else γ α eˣ. */
export const selu: Rule = (b, node, [y]) => {
  const x = node.inputs[0];
  const gamma = floatOf(node, "gamma", 1.0507009873554805);
  const alpha = floatOf(node, "alpha", 1.6732632423543772);
  return toFirst(node, sided(b, x, y!, gamma, expBelow(b, x, gamma * alpha)));
};

/** Celu: 1 over 0, else e^(x/α). */
export const celu: Rule = (b, node, [y]) => {
  const x = node.inputs[0];
  const alpha = floatOf(node, "alpha", 1);
  return toFirst(node, sided(b, x, y!, 1, expBelow(b, scale(b, x, 1 / alpha), 1)));
};

/** c eˣ for x ≤ 0; c for larger x, where it is not used but must stay finite. */
function expBelow(b: GraphBuilder, x: Value, c: number): Value {
  return scale(b, b.op("Exp", [b.op("Neg", [b.op("Relu", [b.op("Neg", [x])])])]), c);
}

/** ThresholdedRelu: 1 over α, else 0. */
export const thresholdedRelu: Rule = (b, node, [y]) => {
  const over = b.op("Greater", [node.inputs[0], b.scalar(floatOf(node, "alpha", 1))]);
  return toFirst(node, whereElseZero(b, over, y!));
};

/** Softplus, log(1 + eˣ): the sigmoid. */
export const softplus = slope((b, x) => b.op("Sigmoid", [x]));

/** Softsign, x / (1 + |x|): 1 / (1 + |x|)². */
export const softsign = slope((b, x) =>
  b.op("Reciprocal", [squared(b, plus(b, b.op("Abs", [x]), 1))])
);

/** Mish, x tanh(softplus(x)): t + x σ(x) (1 − t²) with t = tanh(softplus(x)). */
export const mish = slope((b, x) => {
  const t = b.op("Tanh", [b.op("Softplus", [x])]);
  const bent = b.op("Mul", [
    b.op("Mul", [x, b.op("Sigmoid", [x])]),
    oneMinus(b, squared(b, t)),
  ]);
  return b.op("Add", [t, bent]);
});

/**
 * Gelu, x Φ(x): Φ(x) + x φ(x); with `approximate = "tanh"` the slope of that approximation.
 *
 * Source: Hendrycks & Gimpel, "Gaussian Error Linear Units" (arXiv 1606.08415).
 */
export const gelu: Rule = (b, node, [y]) => {
  const x = node.inputs[0];
  const at = stringOf(node, "approximate", "none") === "tanh" ? tanhSlope(b, x) : erfSlope(b, x);
  return toFirst(node, b.op("Mul", [y!, at]));
};

function erfSlope(b: GraphBuilder, x: Value): Value {
  const phi = scale(
    b,
    b.op("Exp", [scale(b, squared(b, x), -0.5)]),
    1 / Math.sqrt(2 * Math.PI),
  );
  const cumulative = scale(b, plus(b, b.op("Erf", [scale(b, x, Math.SQRT1_2)]), 1), 0.5);
  return b.op("Add", [cumulative, b.op("Mul", [x, phi])]);
}

function tanhSlope(b: GraphBuilder, x: Value): Value {
  // ½ x (1 + tanh u) with u = √(2/π) (x + 0.044715 x³)
  const c = Math.sqrt(2 / Math.PI);
  const square = squared(b, x);
  const u = b.op("Mul", [x, plus(b, scale(b, square, c * 0.044715), c)]);
  const t = b.op("Tanh", [u]);
  const inner = plus(b, scale(b, square, 3 * c * 0.044715), c);
  const bent = b.op("Mul", [b.op("Mul", [x, oneMinus(b, squared(b, t))]), inner]);
  return scale(b, b.op("Add", [plus(b, t, 1), bent]), 0.5);
}

/** Neg: −1. */
export const neg: Rule = (b, node, [y]) => toFirst(node, b.op("Neg", [y!]));
/** Abs: the sign, 0 at 0. */
export const abs = slope((b, x) => b.op("Sign", [x]));
/** Exp: y. */
export const exp = slope((_b, _x, y) => y);
/** Log: 1 / x. */
export const log: Rule = (b, node, [y]) => toFirst(node, b.op("Div", [y!, node.inputs[0]]));
/** Sqrt: 1 / (2 y). */
export const sqrt: Rule = (b, node, [y]) =>
  toFirst(node, b.op("Div", [scale(b, y!, 0.5), node.outputs[0]]));
/** Reciprocal: −y². */
export const reciprocal = slope((b, _x, y) => b.op("Neg", [squared(b, y)]));
/** Erf: 2/√π e^(−x²). */
export const erf = slope((b, x) =>
  scale(b, b.op("Exp", [b.op("Neg", [squared(b, x)])]), 2 / Math.sqrt(Math.PI))
);
/** Sin: cos. */
export const sin = slope((b, x) => b.op("Cos", [x]));
/** Cos: −sin. */
export const cos = slope((b, x) => b.op("Neg", [b.op("Sin", [x])]));
