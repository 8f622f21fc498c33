/**
 * What a rule of layer-wise relevance propagation is.
 *
 * @module
 */

import type { RuleTable } from "../../onnx/backward.ts";
import { quotient } from "../../onnx/dims.ts";
import type { GraphBuilder, Node, Value } from "../../onnx/graph.ts";
import { range, reduceSum, transpose } from "../forms.ts";

/** Takes note of relevance that does not reach any input: a tensor whose sum is lost to biases, stabilisers and what carries none. */
export type Absorb = (lost: Value) => void;

/**
 * Shares the relevance of a node's outputs among its inputs. A rule is right if what its inputs get and what it reports as
 * absorbed, both computed, add up to what its outputs had.
 */
export type LrpRule = (
  b: GraphBuilder,
  node: Node,
  out: readonly (Value | null)[],
  needed: readonly boolean[],
  absorb: Absorb,
) => (Value | null)[];

/** Rules by operator, as in a `RuleTable`. */
export type LrpTable = Readonly<Record<string, LrpRule>>;

/** The rules for the walk. */
export function absorbingInto(table: LrpTable, absorb: Absorb): RuleTable {
  return Object.fromEntries(
    Object.entries(table).map((
      [op, rule],
    ) => [op, (b, node, out, needed) => rule(b, node, out, needed, absorb)]),
  );
}

/** z away from 0: z + ε where z ≥ 0, z − ε elsewhere. */
export function stabilised(b: GraphBuilder, z: Value, epsilon: number): Value {
  return b.op("Add", [z, stabiliser(b, z, epsilon)]);
}

/** ε with the sign of z, + at 0. */
export function stabiliser(b: GraphBuilder, z: Value, epsilon: number): Value {
  const negative = b.op("Less", [z, b.scalar(0)]);
  return b.op("Where", [negative, b.scalar(-epsilon), b.scalar(epsilon)]);
}

/** The sum of each row, [batch]; `like` is a value that has the batch as its first axis. */
export function sumOfRows(b: GraphBuilder, x: Value, like: Value): Value {
  const shape = b.shape(x);
  const [batch] = b.shape(like);
  if (shape[0] === batch) {
    const axes = shape.slice(1).map((_, i) => i + 1);
    return reduceSum(b, x, axes, false);
  }
  // Windows or tokens of all images on one axis, those of an image together. Where sequences come first, it is a later axis.
  const open = typeof batch === "string";
  const found = open ? shape.findIndex((dim) => quotient(dim, batch) !== undefined) : 0;
  const axis = Math.max(found, 0);
  const perm = [axis, ...range(shape.length).filter((i) => i !== axis)];
  const extents = open
    ? b.op("Concat", [rowsOf(b, like), b.ints([-1])], { axis: { kind: "int", value: 0 } })
    : b.ints([batch!, -1]);
  return reduceSum(b, b.op("Reshape", [transpose(b, x, perm), extents]), [1], false);
}

function rowsOf(b: GraphBuilder, like: Value): Value {
  const axis = { axis: { kind: "int", value: 0 } } as const;
  return b.op("Gather", [b.op("Shape", [like]), b.ints([0])], axis);
}
