/**
 * Weights that a model computes instead of storing: quantised or transposed initializers and the like.
 *
 * @module
 */

import { type AnyTensor, floats, sizeOf, type Tensor } from "../base/tensor.ts";
import { type Graph, intOf, intsOf, type Node, type Value } from "./graph.ts";
import { broadcastIndex, ELEMENT_TYPES } from "./shape_rules/elementwise.ts";

type Evaluate = (node: Node, inputs: readonly Tensor[]) => Tensor | undefined;

function combine(compute: (a: number, b: number) => number): Evaluate {
  return (_node, [a, b]) => {
    if (!a || !b) return undefined;
    const rank = Math.max(a.shape.length, b.shape.length);
    const shape = Array.from({ length: rank }, (_, axis) =>
      Math.max(
        a.shape[axis - rank + a.shape.length] ?? 1,
        b.shape[axis - rank + b.shape.length] ?? 1,
      ));
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) {
      const x = a.data[broadcastIndex(i, shape, a.shape)];
      data[i] = compute(x, b.data[broadcastIndex(i, shape, b.shape)]);
    }
    return floats(shape, data);
  };
}

const transpose: Evaluate = (node, [x]) => {
  if (!x) return undefined;
  const perm = intsOf(node, "perm") ?? x.shape.map((_, axis) => x.shape.length - 1 - axis);
  const shape = perm.map((axis) => x.shape[axis]);
  const strides = x.shape.map((_, axis) => sizeOf(x.shape.slice(axis + 1)));
  const data = new Float32Array(x.data.length);
  for (let i = 0; i < data.length; i++) {
    let rest = i;
    let from = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += rest % shape[axis] * strides[perm[axis]];
      rest = Math.floor(rest / shape[axis]);
    }
    data[i] = x.data[from];
  }
  return floats(shape, data);
};

const dequantize: Evaluate = (node, [x, scale, zero]) => {
  if (!x || !scale) return undefined;
  // Per-axis parameters [K] are laid along their axis; block-wise ones are not covered.
  const along = (p: Tensor) => {
    if (p.shape.length !== 1 || p.data.length === 1) return floats([], p.data.slice(0, 1));
    const axis = intOf(node, "axis", 1);
    const counted = axis < 0 ? axis + x.shape.length : axis;
    return floats(x.shape.map((_, at) => at === counted ? p.data.length : 1), p.data);
  };
  if (scale.shape.length > 1) return undefined;
  const centred = zero ? combine((a, b) => a - b)(node, [x, along(zero)]) : x;
  return centred && combine((a, b) => a * b)(node, [centred, along(scale)]);
};

const EVALUATE: Readonly<Record<string, Evaluate>> = {
  Identity: (_node, [x]) => x,
  Cast: (node, [x]) => ELEMENT_TYPES[intOf(node, "to", 1)]?.startsWith("float") ? x : undefined,
  Add: combine((a, b) => a + b),
  Sub: combine((a, b) => a - b),
  Mul: combine((a, b) => a * b),
  Div: combine((a, b) => a / b),
  Transpose: transpose,
  DequantizeLinear: dequantize,
};

/** Any element type as float32; 64-bit types lose what float32 cannot hold. */
function asFloats(value: AnyTensor): Tensor | undefined {
  if (value.type === "float32") return value;
  if (value.type === "float16") {
    const { buffer, byteOffset, length } = value.data;
    return floats(value.shape, Float32Array.from(new Float16Array(buffer, byteOffset, length)));
  }
  return floats(value.shape, Float32Array.from(value.data as ArrayLike<number | bigint>, Number));
}

/**
 * The value of a tensor that does not depend on the input, as float32; `undefined` where it does, or where it is computed by
 * something else than casts, arithmetic, dequantisation and transposition.
 *
 * @param made which node makes each value (`producers`)
 */
export function constantValue(
  graph: Graph,
  made: ReadonlyMap<Value, Node>,
  value: Value,
): Tensor | undefined {
  const stored = graph.initializers.get(value);
  if (stored) return asFloats(stored);
  const node = made.get(value);
  if (!node || node.domain !== "") return undefined;
  if (node.op === "Constant") {
    const dense = Object.values(node.attributes).find((attribute) => attribute.kind === "tensor");
    return dense && asFloats(dense.value);
  }
  const evaluate = EVALUATE[node.op];
  if (!evaluate) return undefined;
  const inputs: Tensor[] = [];
  for (const input of node.inputs) {
    const found = input === "" ? undefined : constantValue(graph, made, input);
    if (!found) return undefined;
    inputs.push(found);
  }
  return evaluate(node, inputs);
}
