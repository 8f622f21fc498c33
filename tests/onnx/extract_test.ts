import assert from "node:assert/strict";
import { readNpy } from "../../src/base/npy.ts";
import { int64s, rows, type Tensor } from "../../src/base/tensor.ts";
import { cut, extract } from "../../src/onnx/extract.ts";
import { prune } from "../../src/onnx/depends_on.ts";
import { type Graph, int, ints } from "../../src/onnx/graph.ts";
import { readModel } from "../../src/onnx/model_file.ts";
import { inferShapes } from "../../src/onnx/shapes.ts";
import { netOn, noise, output, put, runNative } from "./native.ts";
import { assertClose } from "../assert_close.ts";

const golden = (file: string) =>
  Deno.readFileSync(new URL(`../golden/onnx/${file}`, import.meta.url));
const array = (name: string) => readNpy(golden(`mobile_${name}.npy`)) as Tensor;

for (const file of ["mobile.onnx", "mobile_bn.onnx", "mobile_dynamo.onnx"]) {
  Deno.test(`${file}: trunk and head together give PyTorch's logits, the trunk alone its activation`, async () => {
    const graph = readModel(golden(file));
    const { trunk, head, bypass } = cut(graph, "last_act");
    assert.deepEqual(bypass, []);
    assert.deepEqual(trunk.outputs[0].shape, ["N", 48, 7, 9]);
    assert.deepEqual(head.outputs[0].shape, ["N", 20]);
    const input = array("inputs");
    const { last_act } = await runNative(trunk, { input });
    const { logits } = await runNative(head, { last_act: last_act! });
    const whole = await runNative(graph, { input });
    assertClose(logits as Tensor, whole["logits"] as Tensor, { ofLargest: 1e-6 });
    assertClose(last_act as Tensor, array("act"), { ofLargest: 2e-6 });
    assertClose(logits as Tensor, array("logits"), { ofLargest: 2e-6 });
    // The head's batch is its own.
    const one = await runNative(head, { last_act: rows(last_act as Tensor, 1, 2) });
    assertClose(one["logits"] as Tensor, rows(logits as Tensor, 1, 2), { ofLargest: 1e-6 });
  });
}

/** A net whose cut at "middle" has a value that crosses it: middle is one of two branches. */
function twoBranches() {
  const b = netOn(["N", 2, 5, 4]);
  put(b, "Relu", ["x"], {}, "start");
  put(b, "Sigmoid", ["start"], {}, "middle");
  put(b, "Tanh", ["start"], {}, "beside");
  put(b, "Mul", ["middle", "beside"], {}, "joined");
  const weight = put(b, "Mul", [b.floats([2, 1, 1], [1, 2]), b.scalar(3)], {}, "weight");
  put(b, "Mul", ["joined", weight], {}, "end");
  put(b, "Abs", ["middle"], {}, "dead");
  return output(b, "end");
}

Deno.test("what crosses the cut beside the tensor is a bypass; constants are computed where they are needed", async () => {
  const graph = twoBranches();
  const { trunk, head, bypass } = cut(graph, "middle");
  assert.deepEqual(bypass, ["beside"]);
  assert.deepEqual(trunk.outputs.map(({ name }) => name), ["middle", "beside"]);
  assert.deepEqual(head.inputs.map(({ name }) => name), ["middle", "beside"]);
  assert.deepEqual(head.nodes.map(({ op }) => op), ["Mul", "Mul", "Mul"]);
  const x = noise([3, 2, 5, 4]);
  const { middle, beside } = await runNative(trunk, { x });
  const parts = await runNative(head, { middle: middle!, beside: beside! });
  const whole = await runNative(graph, { x });
  assert.deepEqual(parts["end"], whole["end"]);
});

Deno.test("an output in front of the cut passes through the head unchanged", async () => {
  const graph = twoBranches();
  graph.outputs.push({ name: "start", type: "float32" });
  const { trunk, head, bypass } = cut(graph, "joined");
  assert.deepEqual(bypass, ["start"]);
  const x = noise([1, 2, 5, 4]);
  const { joined, start } = await runNative(trunk, { x });
  const parts = await runNative(head, { joined: joined!, start: start! });
  const whole = await runNative(graph, { x });
  assert.deepEqual(parts, whole);
});

Deno.test("the size of the trunk's batch does not cross the cut, so that the head takes any batch", async () => {
  const b = netOn(["N", 2, 3, 3]);
  put(b, "Relu", ["x"], {}, "start");
  const batch = b.op("Gather", [b.op("Shape", ["start"]), b.ints([0])], { axis: int(0) });
  put(b, "Sigmoid", ["start"], {}, "middle");
  const shape = b.op("Concat", [batch, b.ints([-1])], { axis: int(0) });
  put(b, "Reshape", ["middle", shape], {}, "flat");
  const { trunk, head, bypass } = cut(output(b, "flat"), "middle");
  assert.deepEqual(bypass, []);
  assert.deepEqual(trunk.nodes.map(({ op }) => op), ["Relu", "Sigmoid"]);
  const { flat } = await runNative(head, { middle: noise([5, 2, 3, 3]) });
  assert.deepEqual(flat!.shape, [5, 18]);
});

Deno.test("a graph can be cut at one output of a node with several", async () => {
  const b = netOn(["N", 4, 3, 3]);
  const [left, right] = b.ops("Split", ["x"], { axis: int(1) }, 2);
  put(b, "Mul", [left!, right!], {}, "product");
  const graph = output(b, "product");
  const { trunk, head, bypass } = cut(graph, left!);
  assert.deepEqual(bypass, [right]);
  const x = noise([2, 4, 3, 3]);
  const crossing = await runNative(trunk, { x });
  assert.deepEqual(await runNative(head, crossing), await runNative(graph, { x }));
});

Deno.test("cutting where nothing can be cut is an error that says why", () => {
  const graph = twoBranches();
  assert.throws(() => cut(graph, "nowhere"), /"nowhere": the graph has no such tensor/);
  assert.throws(() => cut(graph, "dead"), /"dead"/);
  const constant = [...graph.initializers.keys()][0];
  assert.throws(() => cut(graph, constant), /does not depend on the input/);
});

Deno.test("extract takes only what is needed and asks for the inputs that are missing", () => {
  const graph = twoBranches();
  const part = extract(graph, { inputs: ["start"], outputs: ["beside"] }, "part");
  assert.deepEqual(part.nodes.map(({ name }) => name), ["beside"]);
  assert.equal(part.initializers.size, 0);
  assert.deepEqual(part.inputs, [{ name: "start", type: "float32", shape: ["N", 2, 5, 4] }]);
  assert.throws(
    () => extract(graph, { inputs: ["middle"], outputs: ["end"] }),
    /input "x" is needed too/,
  );
  assert.throws(() => extract(graph, { inputs: ["x"], outputs: ["none"] }), /no such tensor/);
});

Deno.test("prune drops dead nodes and weights and keeps what they share", () => {
  const graph = twoBranches();
  graph.initializers.set("spare", int64s([1], [1]));
  graph.stated.set("dead", { name: "dead", type: "float32" });
  const pruned = prune(graph);
  assert.equal(pruned.nodes.length, graph.nodes.length - 1);
  assert.equal(pruned.initializers.size, graph.initializers.size - 1);
  assert.equal(pruned.stated.size, 0);
  assert.deepEqual(pruned.inputs, graph.inputs);
});

Deno.test("a fixed batch stays fixed in both parts", () => {
  const b = netOn([1, 2, 6, 6]);
  put(b, "MaxPool", ["x"], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }, "pooled");
  put(b, "Reshape", ["pooled", b.ints([1, 18])], {}, "flat");
  const graph: Graph = output(b, "flat");
  const { trunk, head } = cut(graph, "pooled");
  assert.deepEqual(trunk.outputs[0].shape, [1, 2, 3, 3]);
  assert.deepEqual(inferShapes(head).get("flat")!.shape, [1, 18]);
});
