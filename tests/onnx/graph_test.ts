import assert from "node:assert/strict";
import { floats } from "../../src/base/tensor.ts";
import {
  consumers,
  emptyGraph,
  float,
  floatOf,
  int,
  intOf,
  ints,
  intsOf,
  producers,
  readsOf,
  string,
  stringOf,
} from "../../src/onnx/graph.ts";
import { netOn, put } from "./native.ts";

Deno.test("attributes are read by kind: 1 is not 1.0, and a missing one has its default", () => {
  const b = netOn([1]);
  b.op("Op", ["x"], { i: int(3), f: float(0.5), s: string("text"), l: ints([1, 2]) });
  const node = b.graph.nodes[0];
  assert.deepEqual([intOf(node, "i", 9), intOf(node, "f", 9), intOf(node, "none", 9)], [3, 9, 9]);
  assert.deepEqual([floatOf(node, "f", 9), floatOf(node, "i", 9)], [0.5, 9]);
  assert.deepEqual([stringOf(node, "s", ""), stringOf(node, "i", "else")], ["text", "else"]);
  assert.deepEqual([intsOf(node, "l"), intsOf(node, "i")], [[1, 2], undefined]);
});

Deno.test("a node reads its inputs and what its subgraphs take from outside, at any depth", () => {
  const deep = emptyGraph("deep");
  deep.initializers.set("own", floats([], [1]));
  deep.nodes.push({
    name: "deep",
    op: "Op",
    domain: "",
    inputs: ["own", "outer", "between", ""],
    outputs: ["result"],
    attributes: {},
  });
  deep.outputs.push({ name: "result", type: "float32" }, { name: "passed", type: "float32" });
  const middle = emptyGraph("middle");
  middle.nodes.push({
    name: "middle",
    op: "If",
    domain: "",
    inputs: ["condition"],
    outputs: ["between2"],
    attributes: { then_branch: { kind: "graph", value: deep } },
  });
  middle.inputs.push({ name: "between", type: "float32" });
  const node = {
    name: "top",
    op: "Loop",
    domain: "",
    inputs: ["a", "", "b"],
    outputs: ["c"],
    attributes: { body: { kind: "graph" as const, value: middle } },
  };
  assert.deepEqual(readsOf(node).sort(), ["a", "b", "condition", "outer", "passed"]);
});

Deno.test("producers and consumers find who makes and who reads a value", () => {
  const b = netOn([1, 2]);
  const twice = b.op("Mul", ["x", "x"]);
  const [left, right] = b.ops("Split", [twice], { axis: int(1) }, 2);
  b.op("Add", [left!, twice]);
  const [mul, split, add] = b.graph.nodes;
  assert.equal(producers(b.graph).get(right!), split);
  assert.equal(producers(b.graph).get("x"), undefined);
  assert.deepEqual(consumers(b.graph).get("x"), [mul]);
  assert.deepEqual(consumers(b.graph).get(twice), [split, add]);
});

Deno.test("the builder adds equal small constants once, and large ones as often as they come", () => {
  const b = netOn([1]);
  assert.equal(b.scalar(2), b.floats([], [2]));
  assert.notEqual(b.scalar(2), b.floats([1], [2]));
  assert.notEqual(b.ints([2]), b.floats([1], [2]));
  const large = new Float32Array(65);
  assert.notEqual(b.floats([65], large), b.floats([65], large));
  assert.deepEqual(b.weight(b.ints([3, -1]))!.data, BigInt64Array.of(3n, -1n));
  assert.equal(b.weight("x"), undefined);
});

Deno.test("the builder knows the shape of every node it adds, through constants that it added too", () => {
  const b = netOn(["N", 4, 6, 6]);
  const flat = b.op("Reshape", ["x", b.ints([0, -1])]);
  assert.deepEqual(b.shape(flat), ["N", 144]);
  const outputs = b.ops("TopK", [flat, b.ints([5])], {}, 2);
  assert.deepEqual(outputs.map((value) => b.known.get(value)), [
    { type: "float32", shape: ["N", 5] },
    { type: "int64", shape: ["N", 5] },
  ]);
  assert.throws(() => b.shape(put(b, "Unknown", [flat], {}, "odd")), /"odd": its shape is unknown/);
});
