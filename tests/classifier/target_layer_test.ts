import assert from "node:assert/strict";
import { floats, int64s, type Tensor } from "../../src/base/tensor.ts";
import { extract } from "../../src/onnx/extract.ts";
import { type Graph, type GraphBuilder, int, ints } from "../../src/onnx/graph.ts";
import { readModel } from "../../src/onnx/model_file.ts";
import {
  defaultTargetLayer,
  surveyLayers,
  targetLayers,
} from "../../src/classifier/target_layer.ts";
import { simplify } from "../../src/onnx/simplify.ts";
import { netOn, noise, output, put, runNative } from "../onnx/native.ts";

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

/** Mean over h and w, and a linear layer. */
function head(b: GraphBuilder, x: string, name = "logits"): string {
  const pooled = b.op("Flatten", [b.op("GlobalAveragePool", [x])]);
  const weights = b.initializer(noise([b.shape(x)[1] as number, 3], 9));
  return put(b, "Gemm", [pooled, weights], {}, name);
}

/** [N, C, h, w] as tokens [N, h·w, C]. */
function tokensOf(b: GraphBuilder, x: string, name = `${x} tokens`): string {
  const flat = b.op("Reshape", [x, b.ints([0, b.shape(x)[1] as number, -1])]);
  return put(b, "Transpose", [flat], { perm: ints([0, 2, 1]) }, name);
}

/** A block of attention over tokens [N, T, C] with its residual; values are called after `name`. */
function block(b: GraphBuilder, tokens: string, name: string, heads = 1): string {
  const c = b.shape(tokens)[2] as number;
  const scale = b.initializer(floats([c], new Float32Array(c).fill(1)));
  const norm = put(b, "LayerNormalization", [tokens, scale], {}, `${name} norm`);
  const part = (seed: number) => {
    const all = b.op("MatMul", [norm, b.initializer(noise([c, c], seed))]);
    const split = b.op("Reshape", [all, b.ints([0, 0, heads, c / heads])]);
    return b.op("Transpose", [split], { perm: ints([0, 2, 1, 3]) });
  };
  const keys = b.op("Transpose", [part(2)], { perm: ints([0, 1, 3, 2]) });
  const scores = put(b, "MatMul", [part(1), keys], {}, `${name} scores`);
  const weights = put(b, "Softmax", [scores], { axis: int(-1) }, `${name} weights`);
  const mixed = b.op("Transpose", [b.op("MatMul", [weights, part(3)])], {
    perm: ints([0, 2, 1, 3]),
  });
  const joined = b.op("Reshape", [mixed, b.ints([0, 0, c])]);
  return put(b, "Add", [tokens, joined], {}, name);
}

/** Tokens with a constant one before them. */
function withClassToken(b: GraphBuilder, tokens: string): string {
  const [, , c] = b.shape(tokens);
  const batch = b.op("Slice", [b.op("Shape", [tokens]), b.ints([0]), b.ints([1])]);
  const shape = b.op("Concat", [batch, b.ints([1, c as number])], { axis: int(0) });
  const one = b.op("Expand", [b.initializer(noise([1, 1, c as number], 5)), shape]);
  return put(b, "Concat", [one, tokens], { axis: int(1) }, "all tokens");
}

Deno.test("attention back to a map: the convolution after it is the default, the weights of attention are none", () => {
  const b = netOn(["N", 3, 16, 16]);
  const first = conv(b, "x", 2, "first");
  const mixed = block(b, tokensOf(b, first), "block", 2);
  const back = b.op("Transpose", [mixed], { perm: ints([0, 2, 1]) });
  const map = put(b, "Reshape", [back, b.ints([0, 4, 8, 8])], {}, "map");
  const graph = output(b, head(b, conv(b, map, 1, "last")));
  const { layers, last, later, refused } = surveyLayers(graph, "logits");
  assert.deepEqual(layers.map(({ name, rows }) => [name, rows]), [
    ["first", undefined],
    ["map", "of the picture"],
    ["last", "of the picture"],
  ]);
  assert.deepEqual([last?.name, later], ["last", undefined]);
  assert.equal(refused.get("block weights"), "listed");
});

/** Whether changing a tensor's cells, all but the first token, changes the logits, by ONNX Runtime; others go round it as they are. */
async function reaches(source: Graph, name: string, round: readonly string[]): Promise<boolean> {
  const outputs = [name, ...round].map((value) => ({ name: value, type: "float32" as const }));
  const graph = simplify({ ...source, outputs: [...source.outputs, ...outputs] });
  const all = await runNative(graph, { x: noise([1, 3, 16, 16], 4) });
  const after = extract(graph, { inputs: [name, ...round], outputs: ["logits"] });
  const at = all[name] as Tensor;
  const step = at.shape[2];
  const moved = at.data.map((value, i) => i < step ? value : value + Math.sin(i));
  const feeds = Object.fromEntries(round.map((value) => [value, all[value]]));
  const changed = await runNative(after, { ...feeds, [name]: floats(at.shape, moved) });
  const [is, was] = [changed, all].map(({ logits }) => logits.data as Float32Array);
  return is.some((value, k) => Math.abs(value - was[k]) > 1e-6);
}

Deno.test("with a class token, the later tensor is the last whose cells reach the scores, as ONNX Runtime has it", async () => {
  const b = netOn(["N", 3, 16, 16]);
  const tokens = withClassToken(b, tokensOf(b, conv(b, "x", 4, "patches")));
  const second = block(b, block(b, tokens, "one"), "two");
  const scale = b.initializer(floats([4], new Float32Array(4).fill(1)));
  put(b, "LayerNormalization", [second, scale], {}, "norm");
  const token = b.op("Gather", ["norm", b.initializer(int64s([], [0]))], {
    axis: int(1),
  });
  put(b, "Gemm", [token, b.initializer(noise([4, 3], 9))], {}, "logits");
  const graph = output(b, "logits");
  const { last, later } = surveyLayers(graph, "logits");
  assert.equal(last?.name, "patches");
  assert.deepEqual(later, { name: "two norm", shape: ["N", 17, 4], holds: "tokens" });
  assert.equal(await reaches(graph, "one", []), true);
  assert.equal(await reaches(graph, "two norm", ["one"]), true);
  assert.equal(await reaches(graph, "two", []), false);
  assert.equal(await reaches(graph, "norm", []), false);
});

Deno.test("where the mean of the tokens is scored, the last tensor is named; the last channels-last one likewise", () => {
  const b = netOn(["N", 3, 16, 16]);
  const tokens = block(b, tokensOf(b, conv(b, "x", 4, "patches")), "one");
  put(b, "ReduceMean", [tokens], { axes: ints([1]), keepdims: int(0) }, "mean");
  put(b, "Gemm", ["mean", b.initializer(noise([4, 3]))], {}, "logits");
  const found = surveyLayers(output(b, "logits"), "logits");
  assert.deepEqual([found.last?.name, found.later?.name], ["patches", "one"]);

  const c = netOn(["N", 3, 16, 16]);
  put(c, "Transpose", [conv(c, "x", 4, "patches")], { perm: ints([0, 2, 3, 1]) }, "moved");
  put(c, "MatMul", ["moved", c.initializer(noise([4, 5]))], {}, "mixed");
  put(c, "Relu", ["mixed"], {}, "active");
  put(c, "ReduceMean", ["active"], { axes: ints([1, 2]), keepdims: int(0) }, "mean");
  put(c, "Gemm", ["mean", c.initializer(noise([5, 3]))], {}, "logits");
  const { last, later } = surveyLayers(output(c, "logits"), "logits");
  assert.equal(last?.name, "patches");
  assert.deepEqual(later, { name: "active", shape: ["N", 4, 4, 5], holds: "channels last" });
});

Deno.test("tokens before samples, as [T, N, C], are tokens", () => {
  const b = netOn(["N", 3, 16, 16]);
  const tokens = withClassToken(b, tokensOf(b, conv(b, "x", 4, "patches")));
  const first = b.op("Transpose", [tokens], { perm: ints([1, 0, 2]) });
  const mixed = b.op("MatMul", [first, b.initializer(noise([4, 4]))]);
  put(b, "Add", [first, mixed], {}, "sequence");
  put(b, "ReduceMean", ["sequence"], { axes: ints([0]), keepdims: int(0) }, "mean");
  put(b, "Gemm", ["mean", b.initializer(noise([4, 3]))], {}, "logits");
  const { last, later } = surveyLayers(output(b, "logits"), "logits");
  assert.equal(last?.name, "patches");
  assert.deepEqual(later, { name: "sequence", shape: [17, "N", 4], holds: "tokens" });
});

Deno.test("the same values in another order are no later map", () => {
  const b = classifier();
  put(b, "Transpose", ["conv2"], { perm: ints([0, 2, 3, 1]) }, "moved");
  put(b, "Flatten", ["moved"], {}, "flat");
  put(b, "Gemm", ["flat", b.initializer(noise([96, 3]))], {}, "scores");
  const { last, later } = surveyLayers(output(b, "scores"), "scores");
  assert.deepEqual([last?.name, later], ["conv2", undefined]);
});

Deno.test("a branch to another output, and one of which only the extents are read, are no defaults", () => {
  const b = classifier();
  const aside = conv(b, "conv2", 1, "aside");
  put(b, "Flatten", [aside], {}, "features");
  const measured = conv(b, "conv2", 1, "measured");
  const zeros = b.op("ConstantOfShape", [b.op("Shape", [measured])]);
  put(b, "Add", ["logits", b.op("Flatten", [b.op("GlobalAveragePool", [zeros])])], {}, "scores");
  const graph = output(b, "scores", "features");
  assert.equal(defaultTargetLayer(graph, "scores"), "conv2");
  const names = targetLayers(graph, "scores").map(({ name }) => name);
  assert.deepEqual(names, ["conv1", "relu1", "conv2", "measured"]);
});

Deno.test("windows as samples of a batch are refused, the map that they are put together to is taken", () => {
  for (const batch of ["N", 1]) {
    const b = netOn([batch, 4, 8, 8]);
    const split = b.op("Reshape", ["x", b.ints([-1, 4, 2, 4, 2, 4])]);
    const moved = b.op("Transpose", [split], { perm: ints([0, 2, 4, 1, 3, 5]) });
    put(b, "Reshape", [moved, b.ints([-1, 4, 4, 4])], {}, "windows");
    const mixed = conv(b, "windows", 1, "in windows");
    const parts = b.op("Reshape", [mixed, b.ints([-1, 2, 2, 4, 4, 4])]);
    const back = b.op("Transpose", [parts], { perm: ints([0, 3, 1, 4, 2, 5]) });
    put(b, "Reshape", [back, b.ints([-1, 4, 8, 8])], {}, "map");
    const { last, layers, refused } = surveyLayers(output(b, head(b, "map")), "logits");
    assert.deepEqual([last?.name, last?.rows], ["map", "of the picture"], `batch ${batch}`);
    assert.deepEqual(layers.map(({ name }) => name), ["map"]);
    assert.deepEqual([refused.get("windows"), refused.get("in windows")], ["batched", "batched"]);
  }
});

Deno.test("rows padded by joining zeros to them stay rows", () => {
  const b = netOn(["N", 3, 16, 16]);
  const zeros = b.initializer(floats([1, 4, 2, 8], new Float32Array(64)));
  const first = conv(b, "x", 2, "first");
  const tokens = block(b, tokensOf(b, first), "block");
  const back = b.op("Transpose", [tokens], { perm: ints([0, 2, 1]) });
  put(b, "Reshape", [back, b.ints([0, 4, 8, 8])], {}, "map");
  const batch = b.op("Slice", [b.op("Shape", ["x"]), b.ints([0]), b.ints([1])]);
  const rows = b.op("Expand", [
    zeros,
    b.op("Concat", [batch, b.ints([4, 2, 8])], { axis: int(0) }),
  ]);
  put(b, "Concat", [rows, "map", rows], { axis: int(2) }, "padded");
  const { last } = surveyLayers(output(b, head(b, "padded")), "logits");
  assert.deepEqual([last?.name, last?.rows], ["padded", "of the picture"]);
});

Deno.test("a model of tokens only has no target layer, and the error says what it has instead", () => {
  const b = netOn(["N", 3, 16, 16]);
  const split = b.op("Reshape", ["x", b.ints([0, 3, 4, 4, 4, 4])]);
  const moved = b.op("Transpose", [split], { perm: ints([0, 2, 4, 3, 5, 1]) });
  const patches = b.op("Reshape", [moved, b.ints([0, 16, 48])]);
  put(b, "MatMul", [patches, b.initializer(noise([48, 4]))], {}, "patches");
  put(
    b,
    "ReduceMean",
    [block(b, "patches", "one", 2)],
    { axes: ints([1]), keepdims: int(0) },
    "mean",
  );
  put(b, "Gemm", ["mean", b.initializer(noise([4, 3]))], {}, "logits");
  assert.throws(
    () => defaultTargetLayer(output(b, "logits"), "logits"),
    /no tensor \[N, C, h, w\] with more than one cell; one \[N, 16, 4\] holds tokens, and maps of such/,
  );
});

Deno.test("shuffled groups of channels are followed; a group's list of cells is no layer", () => {
  const b = netOn(["N", 3, 16, 16]);
  const first = conv(b, "x", 2, "first");
  put(b, "Reshape", [first, b.ints([0, 2, 2, 64])], {}, "groups");
  const swapped = b.op("Transpose", ["groups"], { perm: ints([0, 2, 1, 3]) });
  put(b, "Reshape", [swapped, b.ints([0, 4, 8, 8])], {}, "shuffled");
  const { last, layers, refused } = surveyLayers(output(b, head(b, "shuffled")), "logits");
  assert.deepEqual(layers.map(({ name }) => name), ["first", "shuffled"]);
  assert.equal(last?.name, "shuffled");
  assert.equal(refused.get("groups"), "listed");
});

Deno.test("a convolution after an op we do not know is the default, its rows and columns assumed", () => {
  const b = classifier();
  b.graph.domains["org.example"] = 1;
  const [odd] = b.ops("Odd", ["relu1"], {}, 1, "org.example");
  b.graph.stated.set(odd, { name: odd, type: "float32", shape: ["N", 4, 8, 12] });
  b.known.set(odd, { type: "float32", shape: ["N", 4, 8, 12] });
  const graph = output(b, head(b, conv(b, odd, 1, "after"), "end"));
  const { last, layers } = surveyLayers(graph, "end");
  assert.deepEqual([last?.name, last?.rows], ["after", "assumed"]);
  assert.equal(layers.find(({ name }) => name === odd)?.rows, "not known");
});

Deno.test("weights of attention after an op we do not know are no layer", () => {
  const b = netOn(["N", 3, 16, 16]);
  conv(b, "x", 4, "patches");
  b.graph.domains["org.example"] = 1;
  const shape = ["N", 16, 4];
  const [odd] = b.ops("Odd", ["patches"], {}, 1, "org.example");
  b.graph.stated.set(odd, { name: odd, type: "float32", shape });
  b.known.set(odd, { type: "float32", shape });
  const tokens = block(b, odd, "block", 2);
  put(b, "ReduceMean", [tokens], { axes: ints([1]), keepdims: int(0) }, "mean");
  put(b, "Gemm", ["mean", b.initializer(noise([4, 3]))], {}, "logits");
  const { layers } = surveyLayers(output(b, "logits"), "logits");
  const scored = layers.filter(({ name }) => /scores|weights/.test(name));
  assert.deepEqual(scored.map(({ name }) => name), []);
  const { last, later } = surveyLayers(b.graph, "logits");
  assert.equal(last?.name, "patches");
  assert.deepEqual(later, { name: "block", shape, holds: "perhaps tokens" });
});
