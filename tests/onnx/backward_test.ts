import assert from "node:assert/strict";
import { ModelError, UnsupportedOpError } from "../../src/base/errors.ts";
import { type AnyTensor, floats, int64s, type Tensor } from "../../src/base/tensor.ts";
import {
  gradientGraph,
  pullBack,
  type RuleTable,
  unsupportedOps,
} from "../../src/onnx/backward.ts";
import {
  type Attribute,
  emptyGraph,
  type Graph,
  int,
  ints,
  type Shape,
} from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { builderOn } from "../../src/onnx/shapes.ts";
import { GRADIENT_RULES } from "../../src/rules/gradient/mod.ts";
import { toFloats } from "../../src/runtime/session.ts";
import { openSession } from "../../src/runtime/open.ts";
import { assertSome } from "../assert_that.ts";

type Line = [
  op: string,
  inputs: string[],
  outputs: string[],
  attributes?: Record<string, Attribute>,
];

/** A graph from lines of nodes. */
function graphOf(
  inputs: Record<string, Shape>,
  outputs: Record<string, Shape>,
  lines: Line[],
  weights: Record<string, AnyTensor> = {},
  opset = 17,
): Graph {
  const graph = emptyGraph("test", opset);
  const info = (values: Record<string, Shape>) =>
    Object.entries(values).map(([name, shape]) => ({ name, type: "float32" as const, shape }));
  graph.inputs = info(inputs);
  graph.outputs = info(outputs);
  graph.initializers = new Map(Object.entries(weights));
  graph.nodes = lines.map(([op, ins, outs, attributes = {}]) => ({
    name: `make ${outs[0]}`,
    op,
    domain: "",
    inputs: ins,
    outputs: outs,
    attributes,
  }));
  return graph;
}

const table: RuleTable = GRADIENT_RULES;
const request = { score: "y", target: "x", table };

async function run(graph: Graph, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  const session = await openSession(writeModel(graph), "native", { threads: 1 });
  try {
    const results: Record<string, Tensor> = {};
    for (const [name, value] of Object.entries(await session.run(feeds))) {
      results[name] = await toFloats(value);
    }
    return results;
  } finally {
    await session.dispose();
  }
}

function gradientTest(name: string, fn: () => void | Promise<void>) {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

gradientTest("gradientGraph() adds up the uses of a value", async () => {
  // y = x² + 3x + x, so dy/dx = 2x + 4.
  const graph = graphOf({ x: ["N", 2] }, { y: ["N", 2] }, [
    ["Mul", ["x", "x"], ["square"]],
    ["Mul", ["x", "three"], ["triple"]],
    ["Add", ["square", "triple"], ["sum"]],
    ["Add", ["sum", "x"], ["y"]],
  ], { three: floats([], [3]) });
  const gradient = gradientGraph(graph, request);
  const x = floats([2, 2], [1, -2, 0.5, 10]);
  const result = await run(gradient, { x, cotangent: floats([2, 2], [1, 1, 2, 0.5]) });
  assert.deepEqual([...result.gradient!.data], [6, 0, 10, 12]);
});

gradientTest("gradientGraph() leaves the batch free and the given graph as it is", async () => {
  const graph = graphOf({ x: ["N", 3] }, { y: ["N", 2] }, [
    ["Relu", ["x"], ["r"]],
    ["Gemm", ["r", "w"], ["y"]],
  ], { w: floats([3, 2], [1, 2, 3, 4, 5, 6]) });
  const before = writeModel(graph);
  const gradient = gradientGraph(graph, request);
  assert.deepEqual(writeModel(graph), before);
  assert.deepEqual(gradient.inputs.map(({ name, shape }) => [name, shape]), [
    ["x", ["N", 3]],
    ["cotangent", ["N", 2]],
  ]);
  assert.deepEqual(gradient.outputs.map(({ name, shape }) => [name, shape]), [
    ["gradient", ["N", 3]],
  ]);
  for (const n of [1, 2]) {
    const x = floats([n, 3], [1, -1, 2, 3, 4, -5].slice(0, 3 * n));
    const cotangent = floats([n, 2], [1, 0, 0, 1].slice(0, 2 * n));
    const result = await run(gradient, { x, cotangent });
    assert.deepEqual([...result.gradient!.data], [1, 0, 5, 2, 4, 0].slice(0, 3 * n));
  }
});

Deno.test("gradientGraph() shares the weights with the forward pass and adds none of their size", () => {
  const weights = {
    kernel: floats([8, 4, 3, 3], new Float32Array(288)),
    w: floats([8, 5], new Float32Array(40)),
    v: floats([5, 5], new Float32Array(25)),
  };
  const graph = graphOf({ x: ["N", 4, 6, 6] }, { y: ["N", 5] }, [
    ["Conv", ["x", "kernel"], ["maps"]],
    ["Relu", ["maps"], ["positive"]],
    ["GlobalAveragePool", ["positive"], ["pooled"]],
    ["Flatten", ["pooled"], ["flat"]],
    ["MatMul", ["flat", "w"], ["hidden"]],
    ["Gemm", ["hidden", "v"], ["y"]],
  ], weights);
  const gradient = gradientGraph(graph, request);
  for (const [name, value] of Object.entries(weights)) {
    assert.equal(gradient.initializers.get(name)?.data, value.data, name);
  }
  const added = [...gradient.initializers].filter(([name]) => !(name in weights));
  assert.ok(added.every(([, value]) => value.data.length <= 8), added.map(([n]) => n).join());
});

Deno.test("gradientGraph() keeps of the forward pass only what the backward pass reads", () => {
  const graph = graphOf({ x: ["N", 4, 6, 6], side: ["N", 4] }, { y: ["N", 5] }, [
    ["GlobalAveragePool", ["x"], ["pooled"]],
    ["Flatten", ["pooled"], ["flat"]],
    ["Add", ["flat", "side"], ["sum"]],
    ["Gemm", ["sum", "w"], ["logits"]],
    ["Identity", ["logits"], ["y"]],
  ], { w: floats([4, 5], new Float32Array(20)) });
  const ops = gradientGraph(graph, request).nodes.map((node) => node.op);
  assert.ok(!ops.includes("GlobalAveragePool"), ops.join());
  assert.ok(!ops.includes("Flatten"), ops.join());
  assert.equal(ops.filter((op) => op === "Gemm").length, 1);
  // All inputs stay, so that a caller need not know which of them a rule has read.
  assert.deepEqual(
    gradientGraph(graph, request).inputs.map((input) => input.name),
    ["x", "side", "cotangent"],
  );
});

gradientTest("gradientGraph() builds nothing for values off the path", async () => {
  const graph = graphOf({ x: ["N", 2], off: ["N", 2] }, { y: ["N", 2] }, [
    // Erf has a rule, DFT has none: neither is on the way from x to y.
    ["Erf", ["off"], ["e"]],
    ["DFT", ["off"], ["spectrum"], { axis: int(1) }],
    ["Mul", ["x", "e"], ["y"]],
  ]);
  const gradient = gradientGraph(graph, request);
  assert.deepEqual(gradient.nodes.map((node) => node.op), ["Erf", "Mul", "Identity"]);
  const result = await run(gradient, {
    x: floats([1, 2], [1, 1]),
    off: floats([1, 2], [0, 0]),
    cotangent: floats([1, 2], [1, 1]),
  });
  assert.deepEqual([...result.gradient!.data], [0, 0]);
});

gradientTest("gradientGraph() puts out values of the forward pass as well", async () => {
  const graph = graphOf({ x: ["N", 2] }, { y: ["N", 2] }, [
    ["Exp", ["x"], ["logits"]],
    ["Softmax", ["logits"], ["y"]],
  ]);
  const gradient = gradientGraph(graph, {
    ...request,
    score: "logits",
    gradient: "slope",
    cotangent: "seed",
    keep: ["y", "logits"],
  });
  const result = await run(gradient, { x: floats([1, 2], [0, 0]), seed: floats([1, 2], [1, 3]) });
  assert.deepEqual([...result.slope!.data], [1, 3]);
  assert.deepEqual([...result.y!.data], [0.5, 0.5]);
  assert.deepEqual([...result.logits!.data], [1, 1]);
});

gradientTest("shapes, indices and masks end the walk without rules", async () => {
  const graph = graphOf({ x: ["N", 2, 2] }, { y: ["N", 4] }, [
    ["Shape", ["x"], ["shape"]],
    ["Gather", ["shape", "zero"], ["batch"]],
    ["Unsqueeze", ["batch", "axis"], ["first"]],
    ["Concat", ["first", "rest"], ["target"], { axis: int(0) }],
    ["Reshape", ["x", "target"], ["flat"]],
    ["ArgMax", ["flat"], ["best"], { axis: int(1) }],
    ["Cast", ["best"], ["factor"], { to: int(1) }],
    ["Mul", ["flat", "factor"], ["scaled"]],
    ["Floor", ["flat"], ["floored"]],
    ["Add", ["scaled", "floored"], ["y"]],
  ], { zero: int64s([], [0]), axis: int64s([1], [0]), rest: int64s([1], [-1]) });
  const gradient = gradientGraph(graph, request);
  const result = await run(gradient, {
    x: floats([1, 2, 2], [0, 1, 5, 2]),
    cotangent: floats([1, 4], [1, 1, 1, 1]),
  });
  assert.deepEqual([...result.gradient!.data], [2, 2, 2, 2]);
});

gradientTest("a gradient graph can be differentiated again", async () => {
  // y = x³ pooled by maxima of pairs: second derivative 6x at the maxima.
  const graph = graphOf({ x: ["N", 1, 1, 4] }, { y: ["N", 1, 1, 2] }, [
    ["Pow", ["x", "p"], ["cube"]],
    ["MaxPool", ["cube"], ["y"], { kernel_shape: ints([1, 2]), strides: ints([1, 2]) }],
  ], { p: floats([], [3]) });
  const first = gradientGraph(graph, request);
  const second = gradientGraph(first, {
    score: "gradient",
    target: "x",
    table,
    cotangent: "direction",
    gradient: "hessian",
  });
  const result = await run(second, {
    x: floats([1, 1, 1, 4], [1, 2, 5, 4]),
    cotangent: floats([1, 1, 1, 2], [1, 1]),
    direction: floats([1, 1, 1, 4], [1, 1, 1, 1]),
  });
  assert.deepEqual([...result.hessian!.data], [0, 12, 30, 0]);
});

Deno.test("gradientGraph() works on operator sets 9 to 21 and says so of older ones", async () => {
  for (const opset of [9, 11, 13, 15, 18, 21]) {
    const graph = graphOf(
      { x: ["N", 2, 4, 4] },
      { y: ["N", 2] },
      [
        ["MaxPool", ["x"], ["m"], { kernel_shape: ints([3, 3]) }],
        ["GlobalAveragePool", ["m"], ["g"]],
        ["Flatten", ["g"], ["f"]],
        ["Softmax", ["f"], ["y"], { axis: int(1) }],
      ],
      {},
      opset,
    );
    const result = await run(gradientGraph(graph, request), {
      x: floats([1, 2, 4, 4], Array.from({ length: 32 }, (_, i) => i % 16)),
      cotangent: floats([1, 2], [1, 0]),
    });
    // Both channels score alike: p (1 − p) = ¼, a quarter of it to each of the last four elements of the maps.
    const channel = Array.from({ length: 16 }, (_, i) => [10, 11, 14, 15].includes(i) ? 1 / 16 : 0);
    assert.deepEqual(
      [...result.gradient!.data],
      [...channel, ...channel.map((v) => -v)]
        .map((v) => v + 0),
    );
  }
  const old = graphOf({ x: ["N"] }, { y: ["N"] }, [["Relu", ["x"], ["y"]]], {}, 8);
  assert.throws(() => gradientGraph(old, request), /operator set 8, older than 9/);
});

Deno.test("an operator without a rule is named with its node and a way out", () => {
  const graph = graphOf({ x: ["N", 4] }, { y: ["N", 4] }, [
    ["CumSum", ["x", "axis"], ["c"]],
    ["Relu", ["c"], ["y"]],
  ], { axis: int64s([], [1]) });
  assert.throws(() => gradientGraph(graph, request), (error) => {
    assert.ok(error instanceof UnsupportedOpError, String(error));
    assert.equal(error.op, "CumSum");
    assert.equal(error.node, "make c");
    assert.match(error.message, /Cannot differentiate node "make c": no backward rule for .*; /);
    return true;
  });
  assert.deepEqual(unsupportedOps(graph, "x", "y", table), [{ op: "CumSum", node: "make c" }]);
  // Behind it, it does not matter.
  assert.deepEqual(unsupportedOps(graph, "c", "y", table), []);
  const gradient = gradientGraph(graph, { ...request, target: "c" });
  assertSome(gradient.outputs, (output) => output.name === "gradient");
});

Deno.test("control flow on the path is refused with advice to remove it", () => {
  const branch = (op: string): Attribute => ({
    kind: "graph",
    value: graphOf({}, { r: ["N"] }, [[op, ["x"], ["r"]]]),
  });
  const graph = graphOf({ x: ["N"] }, { y: ["N"] }, [
    ["ReduceSum", ["x"], ["s"], { keepdims: int(0) }],
    ["Greater", ["s", "zero"], ["c"]],
    ["If", ["c"], ["y"], { then_branch: branch("Relu"), else_branch: branch("Neg") }],
  ], { zero: floats([], [0]) });
  assert.throws(
    () => gradientGraph(graph, request),
    (error) =>
      error instanceof UnsupportedOpError && error.op === "If" && /onnxsim/.test(error.message),
  );
  assert.deepEqual(unsupportedOps(graph, "x", "y", table).map(({ op }) => op), ["If"]);
});

Deno.test("gradientGraph() refuses what it cannot name or reach", () => {
  const graph = graphOf({ x: ["N"], z: ["N"] }, { y: ["N"] }, [["Relu", ["x"], ["y"]]]);
  const refused = (changes: Partial<Parameters<typeof gradientGraph>[1]>, message: RegExp) =>
    assert.throws(
      () => gradientGraph(graph, { ...request, ...changes }),
      (error) => error instanceof ModelError && message.test(error.message),
    );
  refused({ target: "z" }, /"y": it does not depend on "z"/);
  refused({ target: "nowhere" }, /"nowhere"/);
  refused({ score: "nowhere" }, /"nowhere"/);
  refused({ cotangent: "x" }, /"x".*name is taken/);
  graph.inputs[0].type = "float16";
  graph.outputs[0].type = "float16";
  refused({}, /"y" is float16; convert the model to float32/);
});

Deno.test("pullBack() gives null where nothing flows and takes any table", () => {
  const graph = graphOf({ x: ["N"], z: ["N"] }, { y: ["N"] }, [
    ["Relu", ["x"], ["r"]],
    ["Relu", ["z"], ["unused"]],
    ["Neg", ["r"], ["y"]],
  ]);
  const b = builderOn(graph);
  // A table in which everything passes unchanged.
  const pass: RuleTable = {
    Relu: (_b, _node, out) => [out[0]],
    Neg: (_b, _node, out) => [out[0]],
  };
  graph.inputs.push({ name: "u", type: "float32", shape: ["N"] });
  const found = pullBack(b, pass, { of: "y", cotangent: "u", to: ["x", "z", "r"] });
  assert.deepEqual(found, ["u", null, "u"]);
});

Deno.test("a rule that gives a wrong shape is caught", () => {
  const graph = graphOf({ x: ["N", 3] }, { y: ["N", 1] }, [
    ["ReduceMean", ["x"], ["y"], { axes: ints([1]) }],
  ]);
  const wrong: RuleTable = { ReduceMean: (_b, _node, out) => [out[0]] };
  assert.throws(
    () => gradientGraph(graph, { ...request, table: wrong }),
    /has shape \[N,1\], not \[N,3\]; this is a fault in the rule for ReduceMean/,
  );
});
