/**
 * Gradients of arithmetic between tensors, with broadcasting, and of selection.
 *
 * @module
 */

import type { GraphBuilder, Node, Value } from "../../onnx/graph.ts";
import type { Rule } from "../../onnx/backward.ts";
import {
  constantOf,
  onlyInputs,
  scale,
  toFirst,
  unbroadcast,
  unsupported,
  whereElseZero,
  zeroWhere,
} from "../forms.ts";

/** A cotangent of the broadcast shape for input i, built only when it is needed. */
type Term = () => Value;

/** Gives each needed input its term, summed to the input's shape. */
function terms(
  b: GraphBuilder,
  node: Node,
  needed: readonly boolean[],
  ...made: readonly Term[]
): (Value | null)[] {
  return node.inputs.map((input, i) => needed[i] ? unbroadcast(b, made[i](), input) : null);
}

/** Add: the cotangent, for both. */
export const add: Rule = (b, node, [y], needed) => terms(b, node, needed, () => y!, () => y!);

/** Sub: the cotangent and its negative. */
export const sub: Rule = (b, node, [y], needed) =>
  terms(b, node, needed, () => y!, () => b.op("Neg", [y!]));

/** Mul: the cotangent times the other factor. */
export const mul: Rule = (b, node, [y], needed) => {
  const [a, c] = node.inputs as [Value, Value];
  return terms(b, node, needed, () => b.op("Mul", [y!, c]), () => b.op("Mul", [y!, a]));
};

/** Div, a / c: ȳ / c and −ȳ (a / c) / c. */
export const div: Rule = (b, node, [y], needed) => {
  const c = node.inputs[1];
  return terms(
    b,
    node,
    needed,
    () => b.op("Div", [y!, c]),
    () => b.op("Neg", [b.op("Div", [b.op("Mul", [y!, node.outputs[0]]), c])]),
  );
};

/** Pow with an exponent p that does not depend on the target: p x^(p−1) ȳ; 0 for p = 0, as in PyTorch. */
export const pow: Rule = (b, node, [y], needed) => {
  onlyInputs(node, needed, 0);
  const [x, exponent] = node.inputs as [Value, Value];
  const constant = constantOf(b, exponent);
  if (!constant) {
    throw unsupported(node, "its exponent is not a constant", "simplify the model (onnxsim)");
  }
  const all = constant.every((p) => p === constant[0]) ? constant[0] : undefined;
  if (all === 0) return toFirst(node, null);
  if (all === 1) return toFirst(node, unbroadcast(b, y!, x));
  // For p = 0 any finite power does, but x^(−1) at x = 0 is not finite.
  const lower = constant.map((p) => p === 0 ? 0 : p - 1);
  const shape = b.shape(exponent) as readonly number[];
  const power = all === 2
    ? x
    : b.op("Pow", [x, all === undefined ? b.floats(shape, lower) : b.scalar(all - 1)]);
  const factor = all === undefined ? b.floats(shape, constant) : b.scalar(all);
  const slope = b.op("Mul", [power, factor]);
  return toFirst(node, unbroadcast(b, b.op("Mul", [y!, slope]), x));
};

/** Sum of any number of tensors. */
export const sum: Rule = (b, node, [y], needed) =>
  terms(b, node, needed, ...node.inputs.map(() => () => y!));

/** Mean of any number of tensors. */
export const mean: Rule = (b, node, [y], needed) => {
  const share = scale(b, y!, 1 / node.inputs.length);
  return terms(b, node, needed, ...node.inputs.map(() => () => share));
};

/**
 * Max and Min of several tensors: the cotangent goes to the one that was taken, in equal parts where several are equal
 * (PyTorch's `maximum` and `minimum`).
 */
function extremum(further: "Less" | "Greater"): Rule {
  return (b, node, [y], needed) => {
    if (node.inputs.length === 1) return [y!];
    const result = node.outputs[0];
    const lost = node.inputs.map((input) => b.op(further, [input, result]));
    const taken = lost.map((mask) => zeroWhere(b, mask, b.scalar(1)));
    const count = taken.reduce((total, one) => b.op("Add", [total, one]));
    const share = b.op("Div", [y!, count]);
    return terms(b, node, needed, ...lost.map((mask) => () => zeroWhere(b, mask, share)));
  };
}

/** Max. */
export const max = extremum("Less");
/** Min. */
export const min = extremum("Greater");

/** Where(c, a, d): the cotangent where c holds, and where it does not. */
export const where: Rule = (b, node, [y], needed) => {
  const [condition] = node.inputs as [Value, Value, Value];
  const [, taken, other] = terms(
    b,
    node,
    [false, needed[1], needed[2]],
    () => condition,
    () => whereElseZero(b, condition, y!),
    () => zeroWhere(b, condition, y!),
  );
  return [null, taken!, other!];
};

/** Expand: summed over the axes along which the tensor was repeated. */
export const expand: Rule = (b, node, [y]) => toFirst(node, unbroadcast(b, y!, node.inputs[0]));

/** Identity, and Dropout, which is one at inference: the cotangent. */
export const identity: Rule = (_b, node, [y]) => toFirst(node, y!);

/** Steps such as Floor and Sign: 0 almost everywhere, so nothing flows. */
export const step: Rule = (_b, node) => toFirst(node, null);
