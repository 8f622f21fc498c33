import assert from "node:assert/strict";
import { floats, int64s } from "../../src/base/tensor.ts";
import { emptyGraph, type Graph, int } from "../../src/onnx/graph.ts";
import { simplify } from "../../src/onnx/simplify.ts";
import { netOn, noise, output, put, runNative } from "./native.ts";

/** Squeezes axis 1 if its extent is 1, as TorchScript exports `squeeze(1)`, with a branch inside a branch. */
function torchScriptSqueeze(extent: number): Graph {
  const inner = (name: string, op: string, axes: boolean): Graph => {
    const graph = emptyGraph(name);
    if (axes) {
      graph.nodes.push({
        name: "axes",
        op: "Constant",
        domain: "",
        inputs: [],
        outputs: ["axes"],
        attributes: { value: { kind: "tensor", value: int64s([1], [1]) } },
      });
    }
    graph.nodes.push({
      name: "same name",
      op,
      domain: "",
      inputs: axes ? ["start", "axes"] : ["start"],
      outputs: [`${name} result`],
      attributes: {},
    });
    graph.outputs.push({ name: `${name} result`, type: "float32" });
    return graph;
  };
  const nested = emptyGraph("nested");
  nested.nodes.push({
    name: "If",
    op: "If",
    domain: "",
    inputs: ["equal"],
    outputs: ["nested result"],
    attributes: {
      then_branch: { kind: "graph", value: inner("deep", "Squeeze", true) },
      else_branch: { kind: "graph", value: inner("never", "Neg", false) },
    },
  });
  nested.outputs.push({ name: "nested result", type: "float32" });
  const b = netOn(["N", extent, 3]);
  put(b, "Relu", ["x"], {}, "start");
  const one = b.op("Gather", [b.op("Shape", ["start"]), b.ints([1])], { axis: int(0) });
  put(b, "Equal", [one, b.ints([1])], {}, "equal");
  put(b, "If", ["equal"], {
    then_branch: { kind: "graph", value: nested },
    else_branch: { kind: "graph", value: inner("kept", "Identity", false) },
  }, "chosen");
  put(b, "Abs", ["chosen"], {}, "end");
  return output(b, "end");
}

Deno.test("a decided If gives way to the branch it takes, nested ones too", async () => {
  for (
    const [extent, ops] of [[1, ["Relu", "Squeeze", "Abs"]], [4, [
      "Relu",
      "Identity",
      "Abs",
    ]]] as const
  ) {
    const graph = torchScriptSqueeze(extent);
    const simple = simplify(graph);
    assert.deepEqual(simple.nodes.map(({ op }) => op), ops);
    const x = noise([2, extent, 3]);
    const { end } = await runNative(simple, { x });
    assert.deepEqual(end!.shape, extent === 1 ? [2, 3] : [2, extent, 3]);
    assert.deepEqual(end!.data, x.data.map((value) => Math.max(value, 0)));
    // ONNX Runtime itself refuses the graph whose other branch does not fit.
    if (extent === 1) assert.deepEqual(await runNative(graph, { x }), { end });
  }
});

Deno.test("an open If stays", () => {
  const b = netOn(["N", 1, 3]);
  put(b, "Equal", [b.op("Gather", [b.op("Shape", ["x"]), b.ints([0])]), b.ints([1])], {}, "open");
  const branch = (name: string): Graph => ({
    ...emptyGraph(name),
    nodes: [{ name, op: "Relu", domain: "", inputs: ["x"], outputs: [name], attributes: {} }],
    outputs: [{ name, type: "float32" }],
  });
  put(b, "If", ["open"], {
    then_branch: { kind: "graph", value: branch("then") },
    else_branch: { kind: "graph", value: branch("else") },
  }, "chosen");
  const simple = simplify(output(b, "chosen"));
  assert.deepEqual(simple.nodes.map(({ op }) => op), ["Shape", "Gather", "Equal", "If"]);
});

Deno.test("shape arithmetic becomes constants, and the batch stays free", async () => {
  const b = netOn(["N", 6, 4, 4]);
  const shape = b.op("Shape", ["x"]);
  const at = (i: number) => b.op("Gather", [shape, b.ints([i])], { axis: int(0) });
  const half = b.op("Div", [at(1), b.ints([2])]);
  const target = b.op("Concat", [at(0), b.ints([2]), half, b.ints([-1])], { axis: int(0) });
  put(b, "Reshape", ["x", target], {}, "grouped");
  const wide = b.op("Concat", [at(0), b.ints([2, 3, 16])], { axis: int(0) });
  put(b, "Expand", ["grouped", wide], {}, "expanded");
  const graph = output(b, "expanded");
  const simple = simplify(graph);
  assert.deepEqual(simple.nodes.map(({ op }) => op), ["Reshape", "Expand"]);
  assert.deepEqual([...simple.initializers.get("grouped/shape")!.data], [0n, 2n, 3n, 16n]);
  for (const batch of [1, 3]) {
    const x = noise([batch, 6, 4, 4]);
    assert.deepEqual(await runNative(simple, { x }), await runNative(graph, { x }));
  }
});

Deno.test("Constant nodes become weights; a graph output stays a node", () => {
  const b = netOn([1]);
  put(b, "Constant", [], { value: { kind: "tensor", value: floats([2], [1, 2]) } }, "two");
  put(b, "Constant", [], { value_float: { kind: "float", value: 0.5 } }, "half");
  put(b, "Constant", [], { value_ints: { kind: "ints", value: [4] } }, "four");
  put(b, "Mul", ["two", "half"], {}, "product");
  const simple = simplify(output(b, "product", "four"));
  assert.deepEqual(simple.nodes.map(({ name }) => name), ["four", "product"]);
  assert.deepEqual(simple.initializers.get("half"), floats([], [0.5]));
  assert.deepEqual(simple.initializers.get("two"), floats([2], [1, 2]));
});

Deno.test("simplifying leaves the original as it is, and twice is as good as once", () => {
  const graph = torchScriptSqueeze(1);
  const before = structuredClone({ nodes: graph.nodes, weights: [...graph.initializers] });
  const once = simplify(graph);
  assert.deepEqual({ nodes: graph.nodes, weights: [...graph.initializers] }, before);
  assert.deepEqual(simplify(once), once);
});

Deno.test("the largest int64, which slices use for 'to the end', is not rounded into a weight", async () => {
  const b = netOn(["N", 3]);
  const end = b.initializer({ type: "int64", shape: [1], data: BigInt64Array.of(2n ** 63n - 1n) });
  const ends = b.op("Concat", [end], { axis: int(0) });
  put(b, "Slice", ["x", b.ints([1]), ends, b.ints([1])], {}, "tail");
  const graph = output(b, "tail");
  const simple = simplify(graph);
  const x = noise([2, 3]);
  assert.deepEqual(await runNative(simple, { x }), await runNative(graph, { x }));
});
