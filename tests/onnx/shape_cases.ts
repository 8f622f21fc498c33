/** One node each of every op that has a shape rule, in the variants that exporters write. */

import { type AnyTensor, type ElementType, floats, int64s } from "../../src/base/tensor.ts";
import { type Attribute, int, ints, string } from "../../src/onnx/graph.ts";
import { ones } from "./native.ts";

/** An input: a shape (fed, float32), a shape of another type, a constant, or "" for an absent one. */
export type Input =
  | readonly number[]
  | { type: ElementType; shape: readonly number[] }
  | AnyTensor
  | "";

export interface Case {
  op: string;
  inputs: readonly Input[];
  attributes?: Record<string, Attribute>;
  opset?: number;
  outputs?: number;
  /** The first axis of the first input is a batch; by default where its extent is 2. */
  batch?: boolean;
}

const w = (...shape: number[]) => ones("float32", shape);
const list = (...values: number[]) => int64s([values.length], values);
const image = [2, 3, 13, 10];

const unary = [
  ...["Relu", "LeakyRelu", "Elu", "Selu", "Celu", "ThresholdedRelu", "Sigmoid", "HardSigmoid"],
  ...["HardSwish", "Tanh", "Erf", "Softplus", "Softsign", "Clip", "Exp", "Log", "Sqrt", "Abs"],
  ...["Neg", "Reciprocal", "Sign", "Floor", "Ceil", "Round", "Identity", "Sin", "Cos", "IsNaN"],
  ...["Softmax", "LogSoftmax", "Hardmax", "LpNormalization", "GlobalAveragePool"],
  ...["GlobalMaxPool", "GlobalLpPool", "Shape", "Size", "Transpose", "Squeeze", "Flatten"],
];
const reductions = ["Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"];

/** All cases. */
export const cases: Case[] = [
  ...unary.map((op) => ({ op, inputs: [image] })),
  ...["Gelu", "Mish"].map((op) => ({ op, inputs: [image], opset: 20 })),
  { op: "Not", inputs: [{ type: "bool", shape: image }] },
  { op: "Dropout", inputs: [image], outputs: 2 },
  { op: "LRN", inputs: [image], attributes: { size: int(3) } },
  { op: "PRelu", inputs: [image, w(3, 1, 1)] },
  ...["Add", "Sub", "Mul", "Div", "Pow", "Equal", "Greater", "GreaterOrEqual", "Less"]
    .map((op) => ({ op, inputs: [image, [3, 1, 10]] })),
  ...["Min", "Max", "Sum", "Mean"].map((op) => ({ op, inputs: [image, [1, 10], [13, 1]] })),
  { op: "LessOrEqual", inputs: [[3, 1], [2, 1, 4]], batch: false },
  { op: "Mod", inputs: [image, [3, 1, 10]], attributes: { fmod: int(1) } },
  { op: "And", inputs: [{ type: "bool", shape: [2, 3] }, { type: "bool", shape: [3] }] },
  { op: "Where", inputs: [{ type: "bool", shape: [2, 1, 4] }, [3, 1], [1]] },
  { op: "Cast", inputs: [image], attributes: { to: int(7) } },
  { op: "BatchNormalization", inputs: [image, w(3), w(3), w(3), w(3)] },
  { op: "InstanceNormalization", inputs: [image, w(3), w(3)] },
  { op: "LayerNormalization", inputs: [image, w(10)], outputs: 3 },
  {
    op: "LayerNormalization",
    inputs: [image, w(13, 10)],
    attributes: { axis: int(2) },
    outputs: 2,
  },

  { op: "Conv", inputs: [image, w(6, 3, 3, 5)] },
  { op: "Conv", inputs: [image, w(6, 3, 3, 3)], attributes: { pads: ints([1, 0, 2, 1]) } },
  {
    op: "Conv",
    inputs: [image, w(6, 1, 3, 3), w(6)],
    attributes: { group: int(3), strides: ints([2, 3]), dilations: ints([2, 1]) },
  },
  ...["SAME_UPPER", "SAME_LOWER", "VALID"].flatMap((auto) => [
    {
      op: "Conv",
      inputs: [image, w(4, 3, 3, 2)],
      attributes: { auto_pad: string(auto), strides: ints([2, 3]) },
    },
    {
      op: "MaxPool",
      inputs: [image],
      attributes: {
        auto_pad: string(auto),
        kernel_shape: ints([3, 2]),
        strides: ints([2, 2]),
      },
      outputs: 2,
    },
    {
      op: "ConvTranspose",
      inputs: [image, w(3, 4, 4, 3)],
      attributes: { auto_pad: string(auto), strides: ints([2, 3]) },
    },
  ]),
  { op: "Conv", inputs: [[2, 3, 20], w(4, 3, 5)] },
  { op: "Conv", inputs: [[2, 3, 6, 7, 8], w(4, 3, 2, 3, 3)] },
  { op: "MaxPool", inputs: [image], attributes: { kernel_shape: ints([3, 3]) } },
  ...[[2, 2], [3, 2], [5, 4]].flatMap((kernel) =>
    [[2, 2], [3, 4]].flatMap((strides) =>
      [[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0]].map((pads) => ({
        op: "AveragePool",
        inputs: [image],
        attributes: {
          kernel_shape: ints(kernel),
          strides: ints(strides),
          pads: ints(pads),
          ceil_mode: int(1),
        },
        opset: 19,
      }))
    )
  ),
  {
    op: "MaxPool",
    inputs: [image],
    attributes: { kernel_shape: ints([3, 3]), dilations: ints([2, 2]), strides: ints([2, 2]) },
  },
  { op: "LpPool", inputs: [image], attributes: { kernel_shape: ints([2, 2]) } },
  {
    op: "ConvTranspose",
    inputs: [image, w(3, 2, 3, 3)],
    attributes: {
      strides: ints([2, 2]),
      pads: ints([1, 1, 1, 1]),
      output_padding: ints([1, 0]),
      group: int(3),
    },
  },
  {
    op: "ConvTranspose",
    inputs: [image, w(3, 2, 3, 3)],
    attributes: { strides: ints([2, 2]), output_shape: ints([27, 20]) },
  },
  { op: "DepthToSpace", inputs: [[2, 8, 3, 5]], attributes: { blocksize: int(2) } },
  { op: "SpaceToDepth", inputs: [[2, 3, 4, 6]], attributes: { blocksize: int(2) } },
  { op: "Resize", inputs: [image, "", floats([4], [1, 1, 2, 1.55])] },
  { op: "Resize", inputs: [image, "", "", list(2, 3, 7, 21)], batch: false },
  {
    op: "Resize",
    inputs: [image, "", "", list(7, 21)],
    attributes: { axes: ints([2, 3]) },
    opset: 18,
  },
  {
    op: "Resize",
    inputs: [image, "", "", list(7, 21)],
    attributes: { axes: ints([2, 3]), keep_aspect_ratio_policy: string("not_larger") },
    opset: 18,
  },
  { op: "Upsample", inputs: [image, floats([4], [1, 1, 2, 3])], opset: 9 },

  { op: "Gemm", inputs: [[2, 5], w(5, 4), w(4)] },
  { op: "Gemm", inputs: [[5, 3], w(4, 5)], attributes: { transA: int(1), transB: int(1) } },
  { op: "MatMul", inputs: [[2, 5], w(5, 4)] },
  { op: "MatMul", inputs: [[2, 3, 4, 5], [3, 5, 6]] },
  { op: "MatMul", inputs: [[5], [2, 5, 3]], batch: false },
  { op: "MatMul", inputs: [[2, 3, 5], w(5)] },
  {
    op: "Einsum",
    inputs: [[2, 3, 4], [2, 4, 5]],
    attributes: { equation: string("bij,bjk->bik") },
  },
  { op: "Einsum", inputs: [[2, 3], [3, 4]], attributes: { equation: string("ij, jk") } },
  ...reductions.map((name) => ({
    op: `Reduce${name}`,
    inputs: [image],
    attributes: { axes: ints([2, -1]), keepdims: int(0) },
    opset: 13,
  })),
  { op: "ReduceMean", inputs: [image], attributes: { axes: ints([1]) }, opset: 11 },
  { op: "ReduceMean", inputs: [image, list(2, 3)], opset: 18 },
  { op: "ReduceMean", inputs: [image], opset: 18 },
  { op: "ReduceSum", inputs: [image, list(-1)], attributes: { keepdims: int(0) } },
  { op: "ReduceSum", inputs: [image], attributes: { noop_with_empty_axes: int(1) } },
  { op: "ArgMax", inputs: [image], attributes: { axis: int(1) } },
  { op: "ArgMin", inputs: [image], attributes: { axis: int(-1), keepdims: int(0) } },
  { op: "TopK", inputs: [image, list(4)], outputs: 2 },

  { op: "Transpose", inputs: [image], attributes: { perm: ints([0, 2, 3, 1]) } },
  { op: "Reshape", inputs: [image, list(0, -1)] },
  { op: "Reshape", inputs: [image, list(-1, 13, 30)] },
  { op: "Reshape", inputs: [image, list(-1, 390)], attributes: { allowzero: int(1) } },
  { op: "Reshape", inputs: [image, list(0, 0, 130)] },
  { op: "Flatten", inputs: [image], attributes: { axis: int(2) } },
  { op: "Flatten", inputs: [image], attributes: { axis: int(0) } },
  { op: "Flatten", inputs: [image], attributes: { axis: int(-1) } },
  { op: "Squeeze", inputs: [[2, 3, 1, 1], list(2, -1)] },
  { op: "Squeeze", inputs: [[2, 3, 1, 1]], attributes: { axes: ints([3]) }, opset: 11 },
  { op: "Unsqueeze", inputs: [[2, 3], list(-1, 1)] },
  { op: "Unsqueeze", inputs: [[2, 3]], attributes: { axes: ints([0, 3]) }, opset: 11 },
  { op: "Concat", inputs: [image, [2, 5, 13, 10]], attributes: { axis: int(1) } },
  { op: "Concat", inputs: [[2, 3], [2, 3]], attributes: { axis: int(-1) } },
  { op: "Split", inputs: [image, list(1, 2)], attributes: { axis: int(1) }, outputs: 2 },
  { op: "Split", inputs: [image], attributes: { axis: int(3) }, opset: 13, outputs: 5 },
  {
    op: "Split",
    inputs: [image],
    attributes: { axis: int(2), num_outputs: int(3) },
    opset: 18,
    outputs: 3,
  },
  {
    op: "Split",
    inputs: [image],
    attributes: { axis: int(2), split: ints([6, 7]) },
    opset: 11,
    outputs: 2,
  },
  { op: "Slice", inputs: [image, list(1, 2), list(9, -1), list(2, 3), list(2, 3)] },
  { op: "Slice", inputs: [image, list(-1), list(-(2 ** 40)), list(2), list(-3)] },
  { op: "Slice", inputs: [image, list(0, 0), list(2 ** 40, 2), list(0, 1)] },
  {
    op: "Slice",
    inputs: [image],
    attributes: { starts: ints([1]), ends: ints([100]), axes: ints([3]) },
    opset: 9,
  },
  { op: "Gather", inputs: [image, list(0, 2)], attributes: { axis: int(1) } },
  { op: "Gather", inputs: [image, int64s([], [-1])], attributes: { axis: int(-1) } },
  { op: "GatherElements", inputs: [[3, 4], int64s([1, 2], [0, 1])] },
  { op: "GatherND", inputs: [[3, 4, 5], int64s([2, 2], [0, 1, 1, 1])] },
  { op: "ScatterND", inputs: [[3, 4], int64s([1, 1], [0]), [1, 4]] },
  { op: "ScatterElements", inputs: [[3, 4], int64s([1, 2], [0, 1]), [1, 2]] },
  { op: "Pad", inputs: [image, list(0, 0, 1, 2, 0, 0, 3, -1)] },
  { op: "Pad", inputs: [image, list(1, 2), "", list(3)], opset: 18 },
  { op: "Pad", inputs: [image], attributes: { pads: ints([0, 0, 1, 0, 0, 0, 0, 1]) }, opset: 9 },
  { op: "Expand", inputs: [[3, 1], list(4, 1, 6)] },
  { op: "Tile", inputs: [image, list(1, 2, 1, 3)] },
  {
    op: "Constant",
    inputs: [],
    attributes: { value: { kind: "tensor", value: floats([2, 2], [1, 2, 3, 4]) } },
  },
  { op: "Constant", inputs: [], attributes: { value_ints: ints([4, 5]) } },
  { op: "ConstantOfShape", inputs: [list(2, 3)] },
  {
    op: "ConstantOfShape",
    inputs: [list(2, 3)],
    attributes: { value: { kind: "tensor", value: list(7) } },
  },
  { op: "Shape", inputs: [image], attributes: { start: int(1), end: int(-1) } },
  { op: "Range", inputs: [int64s([], [1]), int64s([], [10]), int64s([], [4])] },
  { op: "OneHot", inputs: [{ type: "int64", shape: [2, 3] }, list(5), floats([2], [0, 1])] },
  { op: "CumSum", inputs: [image, int64s([], [1])] },
  { op: "QuantizeLinear", inputs: [image, floats([], [0.1]), ones("int8", [])] },
  { op: "DequantizeLinear", inputs: [{ type: "uint8", shape: image }, floats([], [0.1])] },
  { op: "CastLike", inputs: [image, ones("int64", [1])] },
  {
    op: "LSTM",
    inputs: [[4, 2, 3], w(1, 20, 3), w(1, 20, 5)],
    attributes: { hidden_size: int(5) },
    outputs: 3,
  },
];
