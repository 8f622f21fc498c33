import assert from "node:assert/strict";
import { ModelError } from "../../src/base/errors.ts";
import { type AnyTensor, type ElementType, floats, int64s } from "../../src/base/tensor.ts";
import { formatShape } from "../../src/onnx/dims.ts";
import {
  type Attribute,
  emptyGraph,
  float,
  type Graph,
  int,
  ints,
  type Shape,
  string,
} from "../../src/onnx/graph.ts";
import { builderOn, inferShapes } from "../../src/onnx/shapes.ts";
import { netOn, numberOf, ones, output, put, runNative } from "./native.ts";

/** An input: a shape (fed, float32), a shape of another type, a constant, or "" for an absent one. */
type Input = readonly number[] | { type: ElementType; shape: readonly number[] } | AnyTensor | "";

interface Case {
  op: string;
  inputs: readonly Input[];
  attributes?: Record<string, Attribute>;
  opset?: number;
  outputs?: number;
  /** The first axis of the first input is a batch; by default where its extent is 2. */
  batch?: boolean;
}

function graphOf(
  { op, inputs, attributes = {}, opset = 17, outputs = 1, batch }: Case,
): { graph: Graph; feeds: Record<string, AnyTensor>; batched: boolean } {
  const graph = emptyGraph(op, opset);
  const feeds: Record<string, AnyTensor> = {};
  const names = inputs.map((input, i) => {
    if (input === "") return "";
    const name = `in${i}`;
    if ("data" in input) {
      graph.initializers.set(name, input);
      return name;
    }
    const { type, shape } = "type" in input ? input : { type: "float32" as const, shape: input };
    graph.inputs.push({ name, type, shape });
    feeds[name] = ones(type, shape);
    return name;
  });
  const made = Array.from({ length: outputs }, (_, i) => `out${i}`);
  graph.nodes.push({ name: "node", op, domain: "", inputs: names, outputs: made, attributes });
  const known = inferShapes(graph);
  graph.outputs = made.map((name) => ({ name, type: known.get(name)?.type ?? "float32" }));
  return { graph, feeds, batched: batch ?? graph.inputs[0]?.shape?.[0] === 2 };
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

const cases: Case[] = [
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

Deno.test("inferred types and shapes are those that ONNX Runtime computes, for every op and with a free batch", async () => {
  for (const one of cases) {
    const { graph, feeds, batched } = graphOf(one);
    const label = `${one.op} ${Deno.inspect(one.attributes ?? {}, { compact: true })} of ${
      one.inputs.map((i) => i === "" ? "-" : `[${"shape" in i ? i.shape : i}]`).join(", ")
    }`;
    const computed = await runNative(graph, feeds);
    const inferred = inferShapes(graph);
    for (const { name } of graph.outputs) {
      const { type, shape } = inferred.get(name) ?? {};
      assert.deepEqual(shape, computed[name]!.shape, label);
      assert.equal(type, computed[name]!.type, label);
    }
    if (!batched) continue;
    for (const input of graph.inputs) {
      if (input.shape![0] === 2) input.shape = ["N", ...input.shape!.slice(1)];
    }
    const free = inferShapes(graph);
    for (const { name } of graph.outputs) {
      const shape = free.get(name)!.shape!;
      assert.deepEqual(
        shape.map((dim) => numberOf(dim, 2)),
        computed[name]!.shape,
        `${label} with a free batch: ${formatShape(shape)}`,
      );
    }
  }
});

Deno.test("elements of shape arithmetic are those that ONNX Runtime computes", async () => {
  const b = netOn([2, 6, 4, 9]);
  const shape = put(b, "Shape", ["x"], {}, "shape");
  const scalar = (value: number) => b.initializer(int64s([], [value]));
  const at = (i: number) => put(b, "Gather", [shape, scalar(i)], {}, `at${i}`);
  const [n, c, h] = [at(0), at(1), at(-2)];
  const values = [
    put(b, "Mul", [c, h], {}, "mul"),
    put(b, "Div", [c, scalar(4)], {}, "div"),
    put(b, "Div", [scalar(-7), scalar(2)], {}, "negative_div"),
    put(b, "Sub", [n, scalar(5)], {}, "sub"),
    put(b, "Mod", [scalar(-7), scalar(3)], {}, "mod"),
    put(b, "Equal", [shape, b.ints([-1, 6, 5, 9])], {}, "equal"),
    put(b, "Where", ["equal", b.ints([1, 1, 1, 1]), shape], {}, "where"),
    put(
      b,
      "Slice",
      [shape, b.ints([-1]), b.ints([-(2 ** 40)]), b.ints([0]), b.ints([-1])],
      {},
      "reversed",
    ),
    put(b, "Concat", ["reversed", shape], { axis: int(0) }, "concat"),
    put(b, "Reshape", ["concat", b.ints([-1, 2])], {}, "reshape"),
    put(b, "Transpose", ["reshape"], {}, "transpose"),
    put(b, "Cast", [shape], { to: int(1) }, "floating"),
    put(b, "Mul", ["floating", b.scalar(0.3)], {}, "scaled"),
    put(b, "Floor", ["scaled"], {}, "floor"),
    put(b, "Round", [b.floats([4], [0.5, 1.5, -0.5, 2.4])], {}, "round"),
    put(b, "Cast", ["floor"], { to: int(7) }, "whole"),
    put(b, "ReduceProd", [shape], { keepdims: int(0) }, "prod"),
    put(b, "Range", [scalar(0), c, scalar(2)], {}, "range"),
    put(b, "Tile", ["range", b.ints([2])], {}, "tile"),
    put(b, "Unsqueeze", [c, b.ints([0])], {}, "unsqueeze"),
    put(b, "Expand", ["unsqueeze", b.ints([3])], {}, "expand"),
    put(b, "ConstantOfShape", ["unsqueeze"], {}, "zeros"),
    put(b, "Size", ["x"], {}, "size"),
    put(b, "Max", [c, h], {}, "max"),
    put(b, "Greater", [c, h], {}, "greater"),
    put(b, "Not", ["greater"], {}, "not"),
  ];
  const graph = output(b, ...values);
  const known = inferShapes(graph);
  const computed = await runNative(graph, { x: ones("float32", [2, 6, 4, 9]) });
  for (const value of values) {
    assert.deepEqual(
      known.get(value)!.elements?.map(Number),
      Array.from(computed[value]!.data as ArrayLike<number | bigint>, Number),
      value,
    );
  }
});

function shapeAfter(build: (b: ReturnType<typeof netOn>) => string, input: Shape, opset = 17) {
  const b = netOn(input, opset);
  return b.known.get(build(b))?.shape;
}

Deno.test("the batch survives the ways in which exporters reshape", () => {
  const chain = (b: ReturnType<typeof netOn>, tail: readonly number[]) => {
    const batch = b.op("Gather", [b.op("Shape", ["x"]), b.ints([0])], { axis: int(0) });
    return b.op("Reshape", ["x", b.op("Concat", [batch, b.ints(tail)], { axis: int(0) })]);
  };
  assert.deepEqual(shapeAfter((b) => chain(b, [-1]), ["N", 256, 6, 6]), ["N", 9216]);
  assert.deepEqual(shapeAfter((b) => chain(b, [256, 1, 1]), ["N", 256, 1, 1]), ["N", 256, 1, 1]);
  assert.deepEqual(
    shapeAfter((b) => b.op("Reshape", ["x", b.ints([-1, 9216])]), ["N", 256, 6, 6]),
    ["N", 9216],
  );
  assert.deepEqual(
    shapeAfter(
      (b) => b.op("Reshape", [b.op("Reshape", ["x", b.ints([-1])]), b.ints([-1, 64])]),
      ["N", 256],
    ),
    ["N*4", 64],
  );
  assert.deepEqual(
    shapeAfter(
      (b) => b.op("Reshape", [b.op("Reshape", ["x", b.ints([-1])]), b.ints([-1, 256])]),
      ["N", 256],
    ),
    ["N", 256],
  );
  // Keras flattens with a Shape → Slice → Concat chain in 32 bits.
  assert.deepEqual(
    shapeAfter((b) => {
      const shape = b.op("Cast", [b.op("Shape", ["x"])], { to: int(6) });
      const batch = b.op("Slice", [shape, b.ints([0]), b.ints([1]), b.ints([0])]);
      const target = b.op("Concat", [
        batch,
        b.initializer({ type: "int32", shape: [1], data: Int32Array.of(-1) }),
      ], { axis: int(0) });
      return b.op("Reshape", ["x", b.op("Cast", [target], { to: int(7) })]);
    }, ["N", 4, 5, 6]),
    ["N", 120],
  );
});

Deno.test("a free height and width are followed as far as they go", () => {
  const conv = (b: ReturnType<typeof netOn>, stride: number) =>
    b.op("Conv", ["x", b.floats([8, 3, 3, 3], new Float32Array(216))], {
      pads: ints([1, 1, 1, 1]),
      strides: ints([stride, stride]),
    });
  assert.deepEqual(shapeAfter((b) => conv(b, 1), ["N", 3, "H", "W"]), ["N", 8, "H", "W"]);
  const halved = shapeAfter((b) => conv(b, 2), ["N", 3, "H", "W"])!;
  assert.equal(formatShape(halved), "[N, 8, ?, ?]");
  assert.notEqual(halved[2], halved[3]);
  assert.deepEqual(
    shapeAfter((b) => b.op("GlobalAveragePool", [conv(b, 2)]), ["N", 3, "H", "W"]),
    ["N", 8, 1, 1],
  );
});

Deno.test("an op without a rule is unknown, and takes what the file states", () => {
  const b = netOn(["N", 3, 8, 8]);
  const [odd] = b.ops("Strange", ["x"], {}, 1, "org.example");
  const [known] = b.ops("Strange", ["x"], {}, 1, "org.example");
  b.graph.stated.set(known!, { name: known!, type: "float32", shape: ["N", 5, 8, 8] });
  b.op("Relu", [odd!]);
  const after = b.op("Relu", [known!]);
  const inferred = inferShapes(b.graph);
  assert.equal(inferred.get(odd!), undefined);
  assert.deepEqual(inferred.get(after)!.shape, ["N", 5, 8, 8]);
  assert.throws(() => b.shape(odd!), /shape is unknown/);
});

Deno.test("what the rules infer goes before what the file states", () => {
  const b = netOn(["N", 3, 8, 8]);
  const pooled = b.op("GlobalAveragePool", ["x"]);
  b.graph.stated.set(pooled, { name: pooled, type: "float32", shape: [1, 3, 1, 1] });
  assert.deepEqual(inferShapes(b.graph).get(pooled)!.shape, [1, 3, 1, 1]);
  b.graph.stated.set(pooled, { name: pooled, type: "float32", shape: ["N", 4, 1, 1] });
  assert.deepEqual(inferShapes(b.graph).get(pooled)!.shape, ["N", 3, 1, 1]);
});

Deno.test("contradictions are errors that name the node", () => {
  const wrong: [RegExp, (b: ReturnType<typeof netOn>) => string][] = [
    [
      /"layer\/Conv_1" \(Conv\): 3 input channels where the weights \[8, 4, 3, 3\] in 1 group take 4/,
      (b) => b.op("Conv", ["x", b.floats([8, 4, 3, 3], new Float32Array(288))]),
    ],
    [
      /\(Conv\): the input's extent 8 is smaller than the window of 9/,
      (b) => b.op("Conv", ["x", b.floats([1, 3, 9, 9], new Float32Array(243))]),
    ],
    [
      /\(Add\): shapes \[N, 3, 8, 8\] and \[7\] do not broadcast/,
      (b) => b.op("Add", ["x", b.floats([7], new Float32Array(7))]),
    ],
    [/\(Reshape\)/, (b) => b.op("Reshape", [b.floats([6], [1, 2, 3, 4, 5, 6]), b.ints([4, -1])])],
    [/\(Reshape\)/, (b) => b.op("Reshape", [b.floats([6], [1, 2, 3, 4, 5, 6]), b.ints([4, 2])])],
    [
      /\(Concat\)/,
      (b) => b.op("Concat", ["x", b.op("GlobalAveragePool", ["x"])], { axis: int(1) }),
    ],
    [/\(MatMul\)/, (b) => b.op("MatMul", ["x", b.floats([7, 2], new Float32Array(14))])],
    [
      /\(Gemm\)/,
      (b) => b.op("Gemm", [b.op("Flatten", ["x"]), b.floats([5, 2], new Float32Array(10))]),
    ],
    [/\(Softmax\): axis 4 of a tensor of rank 4/, (b) => b.op("Softmax", ["x"], { axis: int(4) })],
    [/\(BatchNormalization\)/, (b) => {
      const four = b.floats([4], [1, 1, 1, 1]);
      return b.op("BatchNormalization", ["x", four, four, four, four], { epsilon: float(1e-5) });
    }],
  ];
  for (const [message, build] of wrong) {
    assert.throws(() => build(netOn(["N", 3, 8, 8])), (error) => {
      assert(error instanceof ModelError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("an If takes the branch that its condition decides, and else what both have in common", () => {
  const branch = (op: string, name: string, shape: Shape, axes?: readonly number[]): Graph => {
    const graph = emptyGraph(name);
    const inputs = ["x"];
    if (axes) {
      graph.initializers.set(`${name}_axes`, int64s([axes.length], axes));
      inputs.push(`${name}_axes`);
    }
    graph.nodes.push({ name, op, domain: "", inputs, outputs: [name], attributes: {} });
    graph.outputs.push({ name, type: "float32", shape });
    return graph;
  };
  const ifOn = (condition: (b: ReturnType<typeof netOn>) => string, otherwise: Graph) => {
    const b = netOn(["N", 1, 5]);
    const [value] = b.ops("If", [condition(b)], {
      then_branch: { kind: "graph", value: branch("Squeeze", "then", ["a", "b"], [1]) },
      else_branch: { kind: "graph", value: otherwise },
    }, 1);
    return b.known.get(value!)?.shape;
  };
  const squeezed = (b: ReturnType<typeof netOn>) => {
    const extent = b.op("Gather", [b.op("Shape", ["x"]), b.ints([1])]);
    return b.op("Equal", [extent, b.ints([1])]);
  };
  const open = (b: ReturnType<typeof netOn>) =>
    b.op("Equal", [b.op("Gather", [b.op("Shape", ["x"]), b.ints([0])]), b.ints([3])]);
  assert.deepEqual(ifOn(squeezed, branch("Identity", "else", ["N", 1, 5])), ["N", 5]);
  assert.equal(ifOn(open, branch("Identity", "else", ["N", 1, 5])), undefined);
  assert.deepEqual(ifOn(open, branch("Squeeze", "else", ["N", 5], [1])), ["N", 5]);
});

Deno.test("a builder's new names cannot collide with those of an earlier builder on the same graph", () => {
  const first = builderOn(netOn([1, 2]).graph);
  const a = first.op("Relu", ["x"]);
  const second = builderOn(first.graph);
  const b = second.op("Relu", [a]);
  assert.notEqual(a, b);
  assert.deepEqual(second.shape(b), [1, 2]);
});
