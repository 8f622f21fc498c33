/**
 * DeepLIFT through products of two values that both change, quotients among them.
 *
 * @module
 */

import type { Rule } from "../../onnx/backward.ts";
import { type GraphBuilder, type Node, producers, type Value } from "../../onnx/graph.ts";
import { constantOf, unbroadcast } from "../forms.ts";
import { atMidpoint, reciprocal } from "./rescale.ts";
import type { LiftRule, Reference } from "./rule.ts";

/**
 * a r, with r = 1/c an inverse. For any weight w, Δ(a r) = Δa (w r + (1 − w) r₀) + Δr (w a₀ + (1 − w) a): w says how much counts the
 * order in which a changes last, beside r, against the one in which it changes first, beside r₀. Here w = r₀² / (r² + r₀²) = c² / (c² + c₀²).
 *
 * Departs from the rule for other products, the Shapley values, which have w = ½ always. Networks normalise by x / max(‖x‖, 10⁻¹²) or
 * x / √(variance + 10⁻⁵), and at a reference of zeros r₀ is 10¹² or 300: both contributions are then that large and of opposite sign, and
 * in float32 nothing is left of their sum. With this w the factor of Δa is (c + c₀) / (c² + c₀²), under 1.21 / max(|c|, |c₀|). It is ½
 * where c = c₀, has no jump, and treats both passes alike; where r₀ is beyond measure, a gets the whole change and c nothing.
 */
function withInverse(
  b: GraphBuilder,
  [a, r]: readonly [Value, Value],
  m: Value,
  reference: Reference,
): { ofFactor: Value; ofInverse: Value } {
  const r0 = reference(r);
  // Squares of parts of the larger one stay in range. Where both are 0, an inverse times a gain of 0, nothing changes: any w will do.
  const orTiny = (value: Value) => b.op("Add", [value, b.scalar(1e-37)]);
  const largest = orTiny(b.op("Max", [b.op("Abs", [r]), b.op("Abs", [r0])]));
  const square = (value: Value) => {
    const part = b.op("Div", [value, largest]);
    return b.op("Mul", [part, part]);
  };
  const squares = [square(r0), square(r)] as const;
  const total = orTiny(b.op("Add", [...squares]));
  const [last, first] = squares.map((value) => b.op("Div", [value, total])) as [Value, Value];
  const mixed = (beside: Value, beside0: Value) =>
    b.op("Mul", [m, b.op("Add", [b.op("Mul", [last, beside]), b.op("Mul", [first, beside0])])]);
  return { ofFactor: mixed(r, r0), ofInverse: mixed(reference(a), a) };
}

/** Div, a / c as the product of a and 1/c. */
export const quotient: LiftRule = (b, node, [m], needed, reference) => {
  const [a, c] = node.inputs as [Value, Value];
  const c0 = reference(c);
  if (c0 === c) return [needed[0] ? unbroadcast(b, b.op("Div", [m!, c]), a) : null, null];
  const r = b.op("Reciprocal", [c]), r0 = b.op("Reciprocal", [c0]);
  const inverse: Node = { ...node, op: "Reciprocal", inputs: [c], outputs: [r] };
  const both: Reference = (value) => value === r ? r0 : reference(value);
  const { ofFactor, ofInverse } = withInverse(b, [a, r], m!, both);
  const [ofDenominator] = needed[1] ? reciprocal(b, inverse, [ofInverse], [true], both) : [null];
  return [
    needed[0] ? unbroadcast(b, ofFactor, a) : null,
    needed[1] ? unbroadcast(b, ofDenominator!, c) : null,
  ];
};

/** Mul: as a quotient where one of two factors that change is an inverse, elsewhere at the midpoints. */
export function product(gradient: Rule): LiftRule {
  const other = atMidpoint(gradient);
  return (b, node, out, needed, reference) => {
    const made = producers(b.graph);
    const inverse = node.inputs.map((input) => isInverse(b, made, input));
    const changes = node.inputs.every((input) => reference(input) !== input);
    if (!changes || inverse[0] === inverse[1]) return other(b, node, out, needed, reference);
    const [a, r] = (inverse[1] ? node.inputs : [...node.inputs].reverse()) as [Value, Value];
    const { ofFactor, ofInverse } = withInverse(b, [a, r], out[0]!, reference);
    return node.inputs.map((input, i) =>
      needed[i] ? unbroadcast(b, inverse[i] ? ofInverse : ofFactor, input) : null
    );
  };
}

const SHAPE_ONLY = new Set([
  ...["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", "Transpose", "Identity", "Cast"],
]);

/** Whether a value is written as 1 / c or as a negative power. Looked for through changes of shape and constant factors. */
function isInverse(b: GraphBuilder, made: ReadonlyMap<Value, Node>, value: Value): boolean {
  const node = made.get(value);
  if (!node || node.domain !== "") return false;
  const [first, second] = node.inputs;
  if (SHAPE_ONLY.has(node.op)) return isInverse(b, made, first!);
  switch (node.op) {
    case "Reciprocal":
      return true;
    case "Div":
      return constantOf(b, first) !== undefined;
    case "Pow":
      return constantOf(b, second)?.every((exponent) => exponent < 0) ?? false;
    case "Mul":
      return constantOf(b, second) !== undefined
        ? isInverse(b, made, first!)
        : constantOf(b, first) !== undefined && isInverse(b, made, second!);
    default:
      return false;
  }
}
