import assert from "node:assert/strict";
import { ModelError } from "../../src/base/errors.ts";
import { type AnyTensor, int64s } from "../../src/base/tensor.ts";
import { formatShape } from "../../src/onnx/dims.ts";
import { emptyGraph, float, type Graph, int, ints, type Shape } from "../../src/onnx/graph.ts";
import { builderOn, inferShapes } from "../../src/onnx/shapes.ts";
import { netOn, numberOf, ones, output, put, runNative } from "./native.ts";
import { type Case, cases } from "./shape_cases.ts";

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
      assert.deepEqual(shape, computed[name].shape, label);
      assert.equal(type, computed[name].type, label);
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
        computed[name].shape,
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
      Array.from(computed[value].data as ArrayLike<number | bigint>, Number),
      value,
    );
  }
});

Deno.test("elements stay known through clipping and its like, as ONNX Runtime computes them", async () => {
  const b = netOn([2, 6, 4, 9]);
  const shape = put(b, "Shape", ["x"], {}, "shape");
  const floating = put(b, "Cast", [shape], { to: int(1) }, "floating");
  const signed = put(b, "Sub", [shape, b.ints([4, 4, 4, 4])], {}, "signed");
  const odd = b.floats([4], [NaN, -Infinity, Infinity, 0]);
  const scalar = (value: number) => b.initializer(int64s([], [value]));
  const values = [
    signed,
    put(b, "Clip", [signed, scalar(0)], {}, "low"),
    put(b, "Clip", [signed, "", scalar(1)], {}, "high"),
    put(b, "Clip", [signed, scalar(3), scalar(1)], {}, "crossed"),
    put(b, "Clip", [floating, b.scalar(2.1), b.scalar(7.7)], {}, "both"),
    put(b, "Clip", [floating], {}, "neither"),
    put(b, "Cast", [signed], { to: int(1) }, "real"),
    put(b, "Relu", ["real"], {}, "relu"),
    put(b, "CumSum", [shape, scalar(0)], {}, "sums"),
    put(b, "CumSum", [shape, scalar(0)], { reverse: int(1), exclusive: int(1) }, "before"),
    put(b, "IsNaN", [odd], {}, "nan"),
    put(b, "IsInf", [odd], {}, "infinite"),
    put(b, "IsInf", [odd], { detect_negative: int(0) }, "positive"),
    put(b, "Mul", ["real", b.scalar(0.7)], {}, "real parts"),
    put(b, "CastLike", ["real parts", shape], {}, "whole"),
  ];
  const graph = output(b, ...values);
  const known = inferShapes(graph);
  const computed = await runNative(graph, { x: ones("float32", [2, 6, 4, 9]) });
  for (const value of values) {
    assert.deepEqual(
      known.get(value)!.elements?.map(Number),
      Array.from(computed[value].data as ArrayLike<number | bigint>, Number),
      value,
    );
  }
});

Deno.test("bounds of Clip as attributes count; a batch's name stays where a bound cannot change it", () => {
  const elementsOf = (attributes: Parameters<typeof put>[3], inputs: number[], opset: number) => {
    const b = netOn(["N", 6], opset);
    const floating = put(b, "Cast", [put(b, "Shape", ["x"], {}, "shape")], { to: int(1) }, "f");
    put(b, "Clip", [floating, ...inputs.map((value) => b.scalar(value))], attributes, "clipped");
    return b.known.get("clipped")!.elements;
  };
  assert.deepEqual(elementsOf({ min: float(0), max: float(4) }, [], 9)?.[1], 4);
  assert.deepEqual(elementsOf({}, [0], 17), ["N", 6]);
  assert.match(String(elementsOf({}, [0, 4], 17)?.[0]), /\?/);
  assert.match(String(elementsOf({}, [8], 17)?.[0]), /\?/);
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

Deno.test("a free height and width are followed while they are known", () => {
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

Deno.test("what the rules infer takes precedence over what the file states", () => {
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
      assert(error instanceof ModelError, String(error));
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
