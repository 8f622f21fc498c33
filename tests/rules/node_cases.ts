/**
 * One small node for every operator, as a separate network: the cases in which tables of rules other than the gradient's are checked.
 *
 * Everything that varies is cut from one tensor t [N, n], so that an operator of several varying inputs has one target all the same.
 */

import { type AnyTensor, floats, int64s, sizeOf, type Tensor } from "../../src/base/tensor.ts";
import { createRng } from "../../src/base/rng.ts";
import {
  type Attribute,
  float,
  type Graph,
  int,
  ints,
  string,
  type Value,
} from "../../src/onnx/graph.ts";
import { netOn, output, put } from "../onnx/native.ts";

export const ROWS = 2;

/** A node's input: what varies, by its shape without the batch; a constant; or absent. */
type Input = readonly number[] | AnyTensor | null;

export interface NodeCase {
  readonly op: string;
  readonly note?: string;
  readonly domain?: string;
  readonly opset?: number;
  readonly inputs: readonly Input[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
  /** Where the values of t lie; by default −2..2. */
  readonly range?: readonly [number, number];
}

function noise(shape: readonly number[], seed: number, low = -1, high = 1): Tensor {
  const rng = createRng(seed);
  return floats(
    shape,
    Array.from({ length: sizeOf(shape) }, () => low + (high - low) * rng.uniform()),
  );
}

const POSITIVE = [0.2, 3] as const;
const IMAGE = [4, 5, 6];
const scalar = (value: number) => floats([], [value]);

const UNARY = [
  ...["Relu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "LeakyRelu", "Elu", "Selu", "Celu"],
  ...["ThresholdedRelu", "Softplus", "Softsign", "Mish", "Neg", "Abs", "Exp", "Erf"],
  ...["Sin", "Cos", "Floor", "Ceil", "Round", "Sign", "Identity", "Dropout"],
];

export const CASES: readonly NodeCase[] = [
  ...UNARY.map((op): NodeCase => ({ op, inputs: [[12]], ...op === "Mish" ? { opset: 18 } : {} })),
  ...["Log", "Sqrt", "Reciprocal"].map((op): NodeCase => ({ op, inputs: [[12]], range: POSITIVE })),
  { op: "Gelu", inputs: [[12]], opset: 20 },
  {
    op: "Gelu",
    note: "tanh",
    inputs: [[12]],
    opset: 20,
    attributes: { approximate: string("tanh") },
  },
  { op: "Gelu", note: "Microsoft's", domain: "com.microsoft", inputs: [[12]] },
  { op: "Clip", note: "both bounds", inputs: [[12], scalar(-0.5), scalar(1)] },
  { op: "Clip", note: "ReLU6", inputs: [[12], scalar(0), scalar(6)] },
  { op: "PRelu", inputs: [[3, 4], floats([3, 1], [0.1, 0.3, -0.2])] },
  { op: "Pow", inputs: [[12], scalar(-0.75)], range: POSITIVE },
  { op: "Pow", note: "square", inputs: [[12], scalar(2)] },

  { op: "Add", note: "two that vary", inputs: [[3, 4], [1, 4]] },
  { op: "Add", note: "a constant", inputs: [[3, 4], noise([4], 3)] },
  { op: "Sub", note: "two that vary", inputs: [[3, 4], [3, 1]] },
  { op: "Sub", note: "from a constant", inputs: [noise([4], 3), [3, 4]] },
  { op: "Mul", note: "two that vary", inputs: [[3, 4], [3, 4]] },
  { op: "Mul", note: "a broadcast factor that varies", inputs: [[3, 4], [3, 1]] },
  { op: "Mul", note: "a constant", inputs: [[3, 4], noise([4], 4)] },
  { op: "Div", note: "two that vary", inputs: [[3, 4], [3, 1]], range: POSITIVE },
  { op: "Div", note: "a constant denominator", inputs: [[3, 4], noise([4], 4, 1, 2)] },
  {
    op: "Div",
    note: "a constant numerator",
    inputs: [noise([4], 4, 1, 2), [3, 4]],
    range: POSITIVE,
  },
  { op: "Sum", inputs: [[3, 4], [3, 1], noise([4], 5)] },
  { op: "Mean", inputs: [[3, 4], [3, 1], noise([4], 5)] },
  { op: "Max", note: "two that vary", inputs: [[3, 4], [1, 4]] },
  { op: "Max", note: "a constant", inputs: [[3, 4], noise([4], 6)] },
  { op: "Min", note: "two that vary", inputs: [[3, 4], [1, 4]] },
  { op: "Min", note: "a constant", inputs: [[3, 4], noise([4], 6)] },
  { op: "Where", note: "two that vary", inputs: [mask([4]), [3, 4], [3, 4]] },
  { op: "Where", note: "a constant", inputs: [mask([4]), [3, 4], scalar(0.5)] },
  { op: "Expand", inputs: [[3, 1], int64s([3], [1, 1, 4])] },

  {
    op: "Conv",
    inputs: [IMAGE, noise([3, 4, 3, 3], 7), noise([3], 8)],
    attributes: { pads: ints([1, 1, 1, 1]), strides: ints([2, 1]) },
  },
  {
    op: "Conv",
    note: "in groups, without bias",
    inputs: [IMAGE, noise([6, 2, 2, 2], 7)],
    attributes: { group: int(2) },
  },
  {
    op: "ConvTranspose",
    inputs: [IMAGE, noise([4, 2, 3, 3], 9), noise([2], 8)],
    attributes: { strides: ints([2, 2]) },
  },
  {
    op: "Gemm",
    inputs: [[7], noise([3, 7], 10), noise([3], 11)],
    attributes: { transB: int(1), alpha: float(0.5), beta: float(2) },
  },
  { op: "Gemm", note: "without bias", inputs: [[7], noise([7, 3], 10)] },
  { op: "MatMul", inputs: [[3, 7], noise([7, 5], 12)] },
  { op: "MatMul", note: "from the left", inputs: [noise([5, 3], 12), [3, 7]] },
  { op: "MatMul", note: "two that vary", inputs: [[3, 7], [7, 5]] },

  {
    op: "MaxPool",
    inputs: [IMAGE],
    attributes: { kernel_shape: ints([3, 3]), strides: ints([2, 2]) },
  },
  {
    op: "MaxPool",
    note: "overlapping, padded",
    inputs: [IMAGE],
    attributes: { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) },
  },
  {
    op: "AveragePool",
    inputs: [IMAGE],
    attributes: { kernel_shape: ints([3, 2]), pads: ints([1, 0, 1, 0]) },
  },
  { op: "GlobalAveragePool", inputs: [IMAGE] },
  { op: "GlobalMaxPool", inputs: [IMAGE] },

  {
    op: "BatchNormalization",
    inputs: [IMAGE, noise([4], 13), noise([4], 14), noise([4], 15), noise([4], 16, 0.5, 2)],
  },
  {
    op: "LayerNormalization",
    inputs: [[3, 6], noise([6], 17), noise([6], 18)],
    attributes: { axis: int(-1) },
  },
  { op: "InstanceNormalization", inputs: [IMAGE, noise([4], 17), noise([4], 18)] },
  {
    op: "GroupNormalization",
    opset: 21,
    inputs: [IMAGE, noise([4], 17), noise([4], 18)],
    attributes: { num_groups: int(2) },
  },
  { op: "LpNormalization", inputs: [[3, 6]], attributes: { axis: int(2), p: int(2) } },
  {
    op: "LRN",
    inputs: [IMAGE],
    attributes: { size: int(3), alpha: float(0.3), beta: float(0.75), bias: float(1) },
  },
  { op: "Softmax", inputs: [[3, 6]], attributes: { axis: int(-1) } },
  {
    op: "Softmax",
    note: "far apart",
    inputs: [[3, 6]],
    attributes: { axis: int(-1) },
    range: [-90, 90],
  },
  { op: "LogSoftmax", inputs: [[3, 6]], attributes: { axis: int(-1) } },

  { op: "ReduceSum", inputs: [[3, 6], int64s([1], [2])] },
  ...[
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceSumSquare",
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSumExp",
  ]
    .flatMap((op): NodeCase[] => [
      { op, inputs: [[3, 6]], attributes: { axes: ints([2]) } },
      {
        op,
        note: "without the axis",
        inputs: [[3, 6]],
        attributes: { axes: ints([2]), keepdims: int(0) },
      },
    ]),

  { op: "Reshape", inputs: [[3, 4], int64s([2], [0, -1])] },
  { op: "Flatten", inputs: [[3, 4]], attributes: { axis: int(1) } },
  { op: "Squeeze", inputs: [[1, 4], int64s([1], [1])] },
  { op: "Unsqueeze", inputs: [[4], int64s([1], [1])] },
  { op: "Transpose", inputs: [[3, 4]], attributes: { perm: ints([0, 2, 1]) } },
  { op: "Concat", inputs: [[3, 4], [2, 4]], attributes: { axis: int(1) } },
  { op: "Split", inputs: [[4]], attributes: { axis: int(1) }, outputs: 2 },
  {
    op: "Slice",
    inputs: [[3, 6], int64s([1], [1]), int64s([1], [5]), int64s([1], [2]), int64s([1], [2])],
  },
  { op: "Pad", inputs: [[3, 4], int64s([6], [0, 1, 0, 0, 0, 2]), scalar(0.5)] },
  { op: "Gather", inputs: [[3, 4], int64s([3], [1, 1, 2])], attributes: { axis: int(2) } },
  { op: "Tile", inputs: [[3, 4], int64s([3], [1, 2, 1])] },
  { op: "Cast", inputs: [[4]], attributes: { to: int(1) } },
  { op: "SpaceToDepth", inputs: [[2, 4, 6]], attributes: { blocksize: int(2) } },
  { op: "DepthToSpace", inputs: [[8, 2, 3]], attributes: { blocksize: int(2) } },
  {
    op: "Resize",
    inputs: [IMAGE, null, floats([4], [1, 1, 2, 1.5])],
    attributes: { mode: string("linear") },
  },
  { op: "Upsample", opset: 9, inputs: [IMAGE, floats([4], [1, 1, 2, 2])] },
];

function mask(shape: readonly number[]): AnyTensor {
  return { type: "bool", shape, data: Uint8Array.from({ length: sizeOf(shape) }, (_, i) => i % 2) };
}

/** What a case is called. */
export function nameOf({ op, note }: NodeCase): string {
  return note ? `${op}, ${note}` : op;
}

/** Its key in tables of rules. */
export function keyOf({ op, domain }: NodeCase): string {
  return domain ? `${domain}.${op}` : op;
}

const isTensor = (input: Input): input is AnyTensor => input !== null && !Array.isArray(input);

/** The network "t" → "y" of a case, with y's rows as the batch. */
export function networkOf(c: NodeCase): Graph {
  const sizes = c.inputs.map((input) => input === null || isTensor(input) ? 0 : sizeOf(input));
  const total = sizes.reduce((a, b) => a + b);
  const b = netOn(["N", total], c.opset ?? 17);
  const [t] = b.graph.inputs;
  t!.name = "t";
  b.known.set("t", b.known.get("x")!);
  b.known.delete("x");
  if (c.domain) b.graph.domains[c.domain] = 1;
  let start = 0;
  const values = c.inputs.map((input, i): Value => {
    if (input === null) return "";
    if (isTensor(input)) return b.initializer(input);
    const from = start;
    start += sizes[i];
    const part = sizes[i] === total
      ? "t"
      : b.graph.opset >= 10
      ? b.op("Slice", ["t", b.ints([from]), b.ints([start]), b.ints([1])])
      : b.op("Slice", ["t"], { starts: ints([from]), ends: ints([start]), axes: ints([1]) });
    return input.length === 1 ? part : b.op("Reshape", [part, b.ints([0, ...input])]);
  });
  if (c.domain) {
    const [made] = b.ops(c.op, values, { ...c.attributes }, 1, c.domain);
    put(b, "Identity", [made!], {}, "y");
  } else if (c.outputs) {
    const made = b.ops(c.op, values, { ...c.attributes }, c.outputs);
    put(b, "Concat", made.reverse(), { axis: int(1) }, "y");
  } else {
    put(b, c.op, values, { ...c.attributes }, "y");
  }
  return output(b, "y");
}

/** Values for t, [ROWS, n]. */
export function valuesOf(c: NodeCase, seed: number): Tensor {
  const total = networkOf(c).inputs[0].shape![1] as number;
  const [low, high] = c.range ?? [-2, 2];
  return noise([ROWS, total], seed, low, high);
}
