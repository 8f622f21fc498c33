/**
 * What a DeepLIFT rule is.
 *
 * @module
 */

import type { Rule, RuleTable } from "../../onnx/backward.ts";
import type { GraphBuilder, Node, Value } from "../../onnx/graph.ts";
import { scale } from "../forms.ts";

/** What a value is in the reference pass; the value itself where it is the same in both passes. */
export type Reference = (value: Value) => Value;

/**
 * Pulls multipliers back through one node, as a gradient rule does cotangents. With Δ the difference between the actual and
 * the reference pass, a rule is right if Σ m_in Δin = Σ m_out Δout: then contributions add up to the change of the score.
 */
export type LiftRule = (
  b: GraphBuilder,
  node: Node,
  out: readonly (Value | null)[],
  needed: readonly boolean[],
  reference: Reference,
) => (Value | null)[];

/** Rules by operator, as in a `RuleTable`. */
export type LiftTable = Readonly<Record<string, LiftRule>>;

/** The rules for the walk, given a reference pass. */
export function withReference(table: LiftTable, reference: Reference): RuleTable {
  const bound = (rule: LiftRule): Rule => (b, node, out, needed) =>
    rule(b, node, out, needed, reference);
  return Object.fromEntries(Object.entries(table).map(([op, rule]) => [op, bound(rule)]));
}

/** Δx = x − x₀. */
export function difference(b: GraphBuilder, x: Value, reference: Reference): Value {
  return b.op("Sub", [x, reference(x)]);
}

/** (x + x₀) / 2; x itself where it is the same in both passes. */
export function midpoint(b: GraphBuilder, x: Value, reference: Reference): Value {
  const other = reference(x);
  return other === x ? x : scale(b, b.op("Add", [x, other]), 0.5);
}

/** Where two values are so close that the difference of a function of them is mostly rounding. */
export type Closeness = (b: GraphBuilder, x: Value, x0: Value) => Value;

/** Closer than a distance. */
export function within(distance: number): Closeness {
  return (b, x, x0) =>
    b.op("Not", [b.op("Greater", [b.op("Abs", [b.op("Sub", [x, x0])]), b.scalar(distance)])]);
}

/** Closer than a part of their size; equal values always. */
export function withinPart(part: number): Closeness {
  return (b, x, x0) => {
    const size = b.op("Add", [b.op("Abs", [x]), b.op("Abs", [x0])]);
    const distance = b.op("Abs", [b.op("Sub", [x, x0])]);
    return b.op("Not", [b.op("Greater", [distance, scale(b, size, part)])]);
  };
}

/** Δy / Δx where x and x₀ are apart, elsewhere what is given. */
export function ratioOr(
  b: GraphBuilder,
  close: Value,
  dy: Value,
  dx: Value,
  otherwise: Value,
): Value {
  const safe = b.op("Where", [close, b.scalar(1), dx]);
  return b.op("Where", [close, otherwise, b.op("Div", [dy, safe])]);
}
