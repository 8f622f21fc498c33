import assert from "node:assert/strict";
import { type GraphBuilder, ints } from "../../src/onnx/graph.ts";
import { readModel } from "../../src/onnx/model_file.ts";
import { defaultTargetLayer, targetLayers } from "../../src/classifier/target_layer.ts";
import { netOn, noise, output, put } from "../onnx/native.ts";

function conv(b: GraphBuilder, x: string, stride: number, name: string): string {
  const weights = b.initializer(noise([4, b.shape(x)[1] as number, 3, 3]));
  const attributes = { strides: ints([stride, stride]), pads: ints([1, 1, 1, 1]) };
  return put(b, "Conv", [x, weights], attributes, name);
}

function classifier(): GraphBuilder {
  const b = netOn(["N", 3, 16, 24]);
  const first = put(b, "Relu", [conv(b, "x", 2, "conv1")], {}, "relu1");
  conv(b, first, 2, "conv2");
  put(b, "GlobalAveragePool", ["conv2"], {}, "pooled");
  put(b, "Flatten", ["pooled"], {}, "logits");
  return b;
}

Deno.test("target layers are the tensors with more than one cell, with op, extents and field", () => {
  const b = classifier();
  conv(b, "relu1", 1, "dead end");
  const graph = output(b, "logits");
  const layers = targetLayers(graph, "logits");
  assert.deepEqual(layers.map(({ name, op }) => [name, op]), [
    ["conv1", "Conv"],
    ["relu1", "Relu"],
    ["conv2", "Conv"],
  ]);
  assert.deepEqual(layers[2], {
    name: "conv2",
    op: "Conv",
    shape: ["N", 4, 4, 6],
    channels: 4,
    height: 4,
    width: 6,
    receptiveField: {
      y: { centre: 0, stride: 4, size: 7 },
      x: { centre: 0, stride: 4, size: 7 },
      global: false,
    },
  });
  assert.equal(defaultTargetLayer(graph, "logits"), "conv2");
});

Deno.test("only what lies on the way to the scores counts, whether they are an output or not", () => {
  const graph = output(classifier(), "logits");
  assert.equal(defaultTargetLayer(graph, "relu1"), "relu1");
  assert.deepEqual(targetLayers(graph, "conv1").map(({ name }) => name), ["conv1"]);
});

Deno.test("a tensor with height and width exchanged is not a target layer", () => {
  const b = classifier();
  put(b, "Transpose", ["conv2"], { perm: ints([0, 1, 3, 2]) }, "swapped");
  put(b, "Flatten", ["swapped"], {}, "flat");
  assert.equal(defaultTargetLayer(output(b, "flat"), "flat"), "conv2");
});

Deno.test("a channels-last tensor is not a target layer, its channels-first twin is", () => {
  const b = netOn(["N", 16, 24, 3]);
  put(b, "Transpose", ["x"], { perm: ints([0, 3, 1, 2]) }, "first");
  conv(b, "first", 2, "conv");
  put(b, "Transpose", ["conv"], { perm: ints([0, 2, 3, 1]) }, "last");
  put(b, "ReduceMean", ["last"], { axes: ints([1, 2]) }, "pooled");
  const layers = targetLayers(output(b, "pooled"), "pooled");
  assert.deepEqual(layers.map(({ name }) => name), ["first", "conv"]);
});

Deno.test("after an op we do not know, a layer is still offered, without a field, but not chosen", () => {
  const b = classifier();
  b.graph.domains["org.example"] = 1;
  const [odd] = b.ops("Odd", ["conv2"], {}, 1, "org.example");
  b.graph.stated.set(odd!, { name: odd!, type: "float32", shape: ["N", 4, 2, 3] });
  put(b, "GlobalMaxPool", [odd!], {}, "end");
  const graph = output(b, "end");
  const last = targetLayers(graph, "end").at(-1)!;
  assert.deepEqual([last.name, last.receptiveField], [odd, undefined]);
  assert.equal(defaultTargetLayer(graph, "end"), "conv2");
});

Deno.test("a model without spatial tensors has no target layer, and the error says so", () => {
  const b = netOn(["N", 12]);
  put(b, "Relu", ["x"], {}, "logits");
  assert.throws(
    () => defaultTargetLayer(output(b, "logits"), "logits"),
    /on the way to "logits": no tensor \[N, C, h, w\]/,
  );
});

Deno.test("exported models: the default is the layer that PyTorch's reference was made at", () => {
  for (const file of ["mobile.onnx", "mobile_bn.onnx", "mobile_dynamo.onnx"]) {
    const url = new URL(`../golden/onnx/${file}`, import.meta.url);
    assert.equal(defaultTargetLayer(readModel(Deno.readFileSync(url)), "logits"), "last_act");
  }
});
