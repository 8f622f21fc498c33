import assert from "node:assert/strict";
import { ModelError } from "../../src/base/errors.ts";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import { foldBatchNorms } from "../../src/onnx/fold_batch_norm.ts";
import { float, type Graph, int, ints } from "../../src/onnx/graph.ts";
import { readModel, writeModel } from "../../src/onnx/model_file.ts";
import { inferShapes } from "../../src/onnx/shapes.ts";
import { netOn, noise, output, put, runNative } from "./native.ts";
import { assertEvery, assertIncludes } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

const VARIANCES = [0.5, 0.01, 2, 1e-4];

/** x [N, 4, 5, 6] → Conv (2 groups, with or without bias) → BatchNormalization → Relu. */
function net({ bias = false, epsilon = 1e-5, variances = VARIANCES } = {}): Graph {
  const b = netOn(["N", 4, 5, 6]);
  b.initializer(noise([4, 2, 3, 3], 2), "w");
  b.initializer(noise([4], 3), "c");
  for (const [i, name] of ["scale", "shift", "mean"].entries()) {
    b.initializer(noise([4], 4 + i), name);
  }
  b.initializer(floats([4], variances), "variance");
  put(b, "Conv", bias ? ["x", "w", "c"] : ["x", "w"], {
    kernel_shape: ints([3, 3]),
    pads: ints([1, 1, 1, 1]),
    group: int(2),
  }, "conv");
  put(b, "BatchNormalization", ["conv", "scale", "shift", "mean", "variance"], {
    epsilon: float(epsilon),
  }, "norm");
  put(b, "Relu", ["norm"], {}, "y");
  return output(b, "y");
}

const ops = ({ nodes }: Graph) => nodes.map(({ op }) => op);
const x = noise([2, 4, 5, 6], 9);

for (const bias of [false, true]) {
  Deno.test(`a convolution ${bias ? "with" : "without"} bias takes its normalization in: equal outputs, the epsilon inside the root`, async () => {
    const graph = net({ bias, epsilon: 0.001 });
    const folded = foldBatchNorms(graph, "onnx");
    assert.deepEqual(ops(folded), ["Conv", "Relu"]);
    const before = (await runNative(graph, { x }))["y"] as Tensor;
    const after = (await runNative(folded, { x }))["y"] as Tensor;
    assertClose(after, before, { ofLargest: 1e-6 });
  });

  Deno.test(`Darknet's rule ${bias ? "with" : "without"} bias: 1e-6 outside the root, in double, rounded once`, () => {
    const graph = net({ bias, epsilon: 0.5 });
    const folded = foldBatchNorms(graph, "darknet");
    const [conv] = folded.nodes;
    const read = (from: Graph, name: string) => [...from.initializers.get(name)!.data] as number[];
    const [w, c, scale, shift, mean, variance] = ["w", "c", "scale", "shift", "mean", "variance"]
      .map((name) => read(graph, name)) as [
        number[],
        number[],
        number[],
        number[],
        number[],
        number[],
      ];
    const g = scale.map((s, k) => s / (Math.sqrt(variance[k]) + 0.000001));
    assert.deepEqual(
      read(folded, conv!.inputs[1]),
      w.map((value, i) => Math.fround(value * g[Math.floor(i / 18)])),
    );
    assert.deepEqual(
      read(folded, conv!.inputs[2]),
      g.map((factor, k) => Math.fround(shift[k] + ((bias ? c[k] : 0) - mean[k]) * factor)),
    );
  });
}

Deno.test("the original stays as it is, names of kept tensors too, and unneeded parameters go", () => {
  const graph = net();
  const before = writeModel(graph);
  const folded = foldBatchNorms(graph, "darknet");
  assert.deepEqual(writeModel(graph), before);
  assert.deepEqual(folded.nodes[0].outputs, ["norm"]);
  assert.deepEqual([...folded.initializers.keys()], folded.nodes[0].inputs.slice(1));
  assert.deepEqual(inferShapes(folded).get("y")!.shape, ["N", 4, 5, 6]);
  assert.deepEqual(folded.nodes.map(({ name }) => name), ["conv", "y"]);
  assert.deepEqual(ops(readModel(writeModel(folded))), ["Conv", "Relu"]);
});

Deno.test("weights that two convolutions share are folded for each", async () => {
  const graph = net();
  const [conv, norm] = graph.nodes;
  graph.nodes.push(
    { ...conv!, name: "conv2", outputs: ["conv2"], inputs: ["x", "w"] },
    {
      ...norm!,
      name: "norm2",
      outputs: ["norm2"],
      inputs: ["conv2", "shift", "scale", "mean", "variance"],
    },
  );
  graph.outputs.push({ name: "norm2", type: "float32" });
  const folded = foldBatchNorms(graph, "onnx");
  assert.deepEqual(ops(folded), ["Conv", "Relu", "Conv"]);
  const [before, after] = [await runNative(graph, { x }), await runNative(folded, { x })];
  for (const name of ["y", "norm2"]) {
    assertClose(after[name] as Tensor, before[name] as Tensor, { ofLargest: 1e-5 });
  }
});

Deno.test("a normalization stays where the convolution's result is read elsewhere, is an output, or a parameter is computed", () => {
  const both = net();
  both.nodes.push({
    name: "also",
    op: "Relu",
    domain: "",
    inputs: ["conv"],
    outputs: ["also"],
    attributes: {},
  });
  both.outputs.push({ name: "also", type: "float32" });
  const shown = net();
  shown.outputs.push({ name: "conv", type: "float32" });
  const fed = net();
  fed.initializers.delete("mean");
  fed.inputs.push({ name: "mean", type: "float32", shape: [4] });
  const training = net();
  training.nodes[1].attributes["training_mode"] = int(1);
  const alone = net();
  alone.nodes[0].op = "Relu";
  alone.nodes[0].inputs = ["x"];
  for (const graph of [both, shown, fed, training, alone]) {
    assertIncludes(ops(foldBatchNorms(graph, "onnx")), "BatchNormalization");
  }
});

Deno.test("weights that leave single precision are refused, a variance of 0 by itself is not", () => {
  assert.throws(
    () => foldBatchNorms(net({ variances: [1, -1, 1, 1] }), "onnx"),
    (error: Error) =>
      error instanceof ModelError && /"norm": filter 1 has variance -1/.test(error.message),
  );
  const zero = foldBatchNorms(net({ variances: [0, 1, 1, 1] }), "darknet");
  assertEvery(
    [...zero.initializers.values()],
    ({ data }) => data.every((v: number | bigint) => Number.isFinite(Number(v))),
  );
  assert.throws(
    () => foldBatchNorms(net({ variances: [0, 1, 1, 1], epsilon: 0 }), "onnx"),
    ModelError,
  );
});
