/**
 * Gradients of matrix products. The weights of the forward pass are read in place (Gemm transposes while it multiplies), so
 * that no second copy of a fully connected layer comes into being.
 *
 * @module
 */

import { float, floatOf, type GraphBuilder, int, intOf, type Value } from "../../onnx/graph.ts";
import type { Rule } from "../../onnx/backward.ts";
import { range, reshape, scale, squeeze, transpose, unbroadcast, unsqueeze } from "../forms.ts";

/** Gemm, Y = α A′B′ + β C: Ā′ = α Ȳ B′ᵀ, B̄′ = α A′ᵀ Ȳ, C̄ = β Ȳ summed over broadcast axes. */
export const gemm: Rule = (b, node, [y], needed) => {
  const [a, w, c] = node.inputs as [Value, Value, Value | undefined];
  const alpha = floatOf(node, "alpha", 1);
  const transA = intOf(node, "transA", 0);
  const transB = intOf(node, "transB", 0);
  const flip = (flag: number) => flag ? 0 : 1;
  const result: (Value | null)[] = node.inputs.map(() => null);
  if (needed[0]) {
    result[0] = transA
      ? product(b, w, y!, transB, 1, alpha)
      : product(b, y!, w, 0, flip(transB), alpha);
  }
  if (needed[1]) {
    result[1] = transB
      ? product(b, y!, a, 1, transA, alpha)
      : product(b, a, y!, flip(transA), 0, alpha);
  }
  if (needed[2]) result[2] = unbroadcast(b, scale(b, y!, floatOf(node, "beta", 1)), c!);
  return result;
};

function product(
  b: GraphBuilder,
  left: Value,
  right: Value,
  transA: number,
  transB: number,
  alpha = 1,
): Value {
  // Before operator set 11 the third input could not be left out.
  const inputs = b.graph.opset >= 11 ? [left, right] : [left, right, b.floats([1], [0])];
  return b.op("Gemm", inputs, {
    alpha: float(alpha),
    transA: int(transA),
    transB: int(transB),
  });
}

/** MatMul (NumPy's, with batch axes and vectors): Ā = Ȳ Bᵀ, B̄ = Aᵀ Ȳ, summed over broadcast batch axes. */
export const matMul: Rule = (b, node, [y], needed) => {
  const [left, right] = node.inputs as [Value, Value];
  const leftVector = b.shape(left).length === 1;
  const rightVector = b.shape(right).length === 1;
  // A vector is a matrix of one row (left) or one column (right) whose extra axis is missing in the product.
  const a = leftVector ? unsqueeze(b, left, [0]) : left;
  const w = rightVector ? unsqueeze(b, right, [1]) : right;
  const rank = Math.max(b.shape(a).length, b.shape(w).length);
  const missing = [...leftVector ? [rank - 2] : [], ...rightVector ? [rank - 1] : []];
  const g = unsqueeze(b, y!, missing);
  return [
    needed[0] ? withoutAxis(b, leftCotangent(b, g, a, w), leftVector, 0) : null,
    needed[1] ? withoutAxis(b, rightCotangent(b, g, a, w), rightVector, 1) : null,
  ];
};

function withoutAxis(b: GraphBuilder, x: Value, vector: boolean, axis: number): Value {
  return vector ? squeeze(b, x, [axis]) : x;
}

function leftCotangent(b: GraphBuilder, g: Value, a: Value, w: Value): Value {
  if (b.shape(w).length > 2) {
    return unbroadcast(b, b.op("MatMul", [g, transposed(b, w)]), a);
  }
  // The usual case, activations times a weight matrix: one Gemm over all rows, the weight in place.
  const rows = asRows(b, g);
  return reshape(b, product(b, rows, w, 0, 1), b.shape(a), a);
}

function rightCotangent(b: GraphBuilder, g: Value, a: Value, w: Value): Value {
  if (b.shape(w).length > 2) {
    return unbroadcast(b, b.op("MatMul", [transposed(b, a), g]), w);
  }
  return product(b, asRows(b, a), asRows(b, g), 1, 0);
}

/** [..., m, n] as [everything before, n]. */
function asRows(b: GraphBuilder, x: Value): Value {
  const shape = b.shape(x);
  if (shape.length === 2) return x;
  const columns = shape.at(-1)!;
  if (typeof columns === "number") return b.op("Reshape", [x, b.ints([-1, columns])]);
  return b.op("Flatten", [x], { axis: int(shape.length - 1) });
}

/** The last two axes exchanged. */
function transposed(b: GraphBuilder, x: Value): Value {
  const rank = b.shape(x).length;
  return transpose(b, x, [...range(rank - 2), rank - 1, rank - 2]);
}
