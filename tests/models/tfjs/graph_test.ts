import assert from "node:assert/strict";
import { ModelError, UnsupportedOpError } from "../../../src/base/errors.ts";
import { createRng } from "../../../src/base/rng.ts";
import { floats, sizeOf, type Tensor } from "../../../src/base/tensor.ts";
import { writeModel } from "../../../src/onnx/model_file.ts";
import { openSession } from "../../../src/runtime/open.ts";
import { readTfjsWeights } from "../../../models/build/tfjs/weights.ts";
import { tfjsGraph } from "../../../models/build/tfjs/graph.ts";
import type { TfjsAttribute, TfjsModel, TfjsNode } from "../../../models/build/tfjs/model.ts";
import { runNet, toChannelsFirst } from "../../nets_helpers.ts";
import { assertClose } from "../../assert_close.ts";

const s = (text: string): TfjsAttribute => ({ s: btoa(text) });
const list = (...i: number[]): TfjsAttribute => ({ list: { i: i.map(String) } });
const fused = (...names: string[]): TfjsAttribute => ({ list: { s: names.map(btoa) } });
const window = (stride: number, padding: string) => ({
  strides: list(1, stride, stride, 1),
  dilations: list(1, 1, 1, 1),
  padding: s(padding),
  data_format: s("NHWC"),
});
const input = (...shape: number[]): TfjsNode => ({
  name: "x",
  op: "Placeholder",
  attr: { shape: { shape: { dim: shape.map((size) => ({ size: String(size) })) } } },
});
const constantNode = (name: string): TfjsNode => ({ name, op: "Const" });

/** A model file and its weights from nodes and constants. int32 constants are those of whole numbers named "i_…". */
function model(nodes: TfjsNode[], constants: Record<string, [readonly number[], number[]]>) {
  const weights = Object.entries(constants).map(([name, [shape]]) => ({
    name,
    shape,
    dtype: name.startsWith("i_") ? "int32" : "float32",
  }));
  const bytes = new Uint8Array(
    Object.values(constants).reduce((sum, [, values]) => sum + 4 * values.length, 0),
  );
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [name, [, values]] of Object.entries(constants)) {
    for (const value of values) {
      if (name.startsWith("i_")) view.setInt32(at, value, true);
      else view.setFloat32(at, value, true);
      at += 4;
    }
  }
  const weightsManifest = [{ paths: ["w.bin"], weights }];
  const file: TfjsModel = {
    format: "graph-model",
    modelTopology: { node: nodes },
    weightsManifest,
  };
  return { file, weights: readTfjsWeights(weightsManifest, new Map([["w.bin", bytes]])) };
}

async function run(
  { file, weights }: ReturnType<typeof model>,
  options: { tensors?: Record<string, string>; outputs: string[] },
  x: Tensor,
): Promise<Record<string, Tensor>> {
  const graph = tfjsGraph(file, weights, { name: "tiny", ...options });
  const session = await openSession(writeModel(graph), "native");
  try {
    return await runNet(session, x);
  } finally {
    await session.dispose();
  }
}

function normals(shape: readonly number[], seed: number): [readonly number[], number[]] {
  const rng = createRng(seed);
  return [shape, Array.from({ length: sizeOf(shape) }, () => Math.fround(rng.normal()))];
}

type Image = number[][][];

/** [H][W][C] convolution with SAME padding, as in TensorFlow's documentation. */
function slowConv(
  x: Image,
  w: number[],
  shape: readonly number[],
  stride: number,
  bias?: number[],
) {
  const [kh, kw, , outputs] = shape as [number, number, number, number];
  const cells = x.map((_, i) => i).filter((i) => i % stride === 0);
  const columns = x[0].map((_, j) => j).filter((j) => j % stride === 0);
  const before = (size: number, k: number, out: number) =>
    Math.floor(Math.max((out - 1) * stride + k - size, 0) / 2);
  const top = before(x.length, kh, cells.length), left = before(x[0].length, kw, columns.length);
  return cells.map((i) =>
    columns.map((j) =>
      Array.from({ length: outputs }, (_, o) => {
        let sum = bias?.[o] ?? 0;
        for (let di = 0; di < kh; di++) {
          for (let dj = 0; dj < kw; dj++) {
            const pixel = x[i + di - top]?.[j + dj - left];
            pixel?.forEach((value, c) => {
              sum += value * w[((di * kw + dj) * pixel.length + c) * outputs + o];
            });
          }
        }
        return sum;
      })
    )
  );
}

Deno.test("a small net of mini-Xception's operations gives what plain loops over NHWC give", async () => {
  const shape = [2, 7, 6, 2] as const;
  const constants = {
    "w1": normals([3, 3, 2, 4], 1),
    "b1": normals([4], 2),
    "wd": normals([3, 3, 4, 1], 3),
    "w2": normals([1, 1, 4, 3], 4),
    "ws": normals([1, 1, 4, 3], 5),
    "i_axes": [[2], [1, 2]] as [number[], number[]],
  };
  // The file is not in order of computation, on purpose.
  const nodes: TfjsNode[] = [
    { name: "out", op: "Identity", input: ["softmax", "^x"] },
    { name: "softmax", op: "Softmax", input: ["mean"] },
    { name: "mean", op: "Mean", input: ["sum:0", "i_axes"], attr: { keep_dims: { b: false } } },
    { name: "sum", op: "AddV2", input: ["pool", "skip"] },
    {
      name: "pool",
      op: "MaxPool",
      input: ["point"],
      attr: { ...window(2, "SAME"), ksize: list(1, 3, 3, 1) },
    },
    { name: "skip", op: "Conv2D", input: ["relu", "ws"], attr: window(2, "SAME") },
    { name: "point", op: "_FusedConv2D", input: ["depth", "w2"], attr: window(1, "VALID") },
    { name: "depth", op: "DepthwiseConv2dNative", input: ["relu", "wd"], attr: window(1, "SAME") },
    {
      name: "relu",
      op: "_FusedConv2D",
      input: ["x", "w1", "b1"],
      attr: { ...window(2, "SAME"), fused_ops: fused("BiasAdd", "Relu") },
    },
    { name: "unused", op: "NoSuchOperation", input: ["x"] },
    input(-1, 7, 6, 2),
    ...Object.keys(constants).map(constantNode),
  ];
  const [, values] = normals(shape, 6);
  const x = floats(shape, values);
  const made = model(nodes, constants);
  const results = await run(
    made,
    { tensors: { mean: "logits", out: "probabilities", sum: "maps" }, outputs: ["mean", "out"] },
    toChannelsFirst(x),
  );
  assert.deepEqual(Object.keys(results), ["logits", "probabilities"]);
  const graph = tfjsGraph(made.file, made.weights, { name: "t", outputs: ["mean"] });
  assert.deepEqual(graph.inputs, [{ name: "input", type: "float32", shape: ["N", 2, 7, 6] }]);

  for (let n = 0; n < 2; n++) {
    const image: Image = Array.from(
      { length: 7 },
      (_, i) =>
        Array.from(
          { length: 6 },
          (_, j) => [0, 1].map((c) => values[((n * 7 + i) * 6 + j) * 2 + c]),
        ),
    );
    const relu = slowConv(image, constants.w1[1], [3, 3, 2, 4], 2, constants.b1[1])
      .map((row) => row.map((pixel) => pixel.map((v) => Math.max(0, v))));
    const depth = relu.map((row, i) =>
      row.map((pixel, j) =>
        pixel.map((_, c) => {
          let sum = 0;
          for (let di = 0; di < 3; di++) {
            for (let dj = 0; dj < 3; dj++) {
              sum += (relu[i + di - 1]?.[j + dj - 1]?.[c] ?? 0) *
                constants.wd[1][(di * 3 + dj) * 4 + c];
            }
          }
          return sum;
        })
      )
    );
    const point = slowConv(depth, constants.w2[1], [1, 1, 4, 3], 1);
    const skip = slowConv(relu, constants.ws[1], [1, 1, 4, 3], 2);
    // relu is 4 x 3 cells; a 3 x 3 pool with stride 2 pads 0 before rows (1 after) and 1 on both sides of columns.
    const logits = [0, 1, 2].map((c) => {
      let total = 0;
      for (let i = 0; i < 2; i++) {
        for (let j = 0; j < 2; j++) {
          let largest = -Infinity;
          for (let di = 0; di < 3; di++) {
            for (let dj = 0; dj < 3; dj++) {
              largest = Math.max(largest, point[2 * i + di]?.[2 * j + dj - 1]?.[c] ?? -Infinity);
            }
          }
          total += largest + skip[i][j][c];
        }
      }
      return total / 4;
    });
    const exp = logits.map(Math.exp), sum = exp.reduce((a, b) => a + b);
    assertClose(results["logits"].data.subarray(3 * n, 3 * n + 3), logits, 1e-4);
    assertClose(
      results["probabilities"].data.subarray(3 * n, 3 * n + 3),
      exp.map((v) => v / sum),
      1e-5,
    );
  }
});

Deno.test("Reshape and MatMul take elements in NHWC order, and a constant is added per channel", async () => {
  const nodes: TfjsNode[] = [
    input(-1, 1, 2, 2),
    ...["c", "i_shape", "w", "b"].map(constantNode),
    { name: "shifted", op: "BiasAdd", input: ["x", "c"] },
    { name: "flat", op: "Reshape", input: ["shifted", "i_shape"] },
    {
      name: "y",
      op: "_FusedMatMul",
      input: ["flat", "w", "b"],
      attr: { fused_ops: fused("BiasAdd", "Relu6"), transpose_b: { b: false } },
    },
  ];
  const made = model(nodes, {
    "c": [[2], [10, 20]],
    "i_shape": [[2], [-1, 4]],
    "w": [[4, 2], [1, 0, 0, 1, 0, 0, 0, 0.1]],
    "b": [[2], [-10, -18]],
  });
  // NHWC [[1,2],[3,4]] + [10,20] = 11, 22, 13, 24; products 11 and 22 + 2.4; with the bias 1 and 6.4, clipped to 6.
  const { y } = await run(
    made,
    { tensors: { y: "y" }, outputs: ["y"] },
    toChannelsFirst(floats([1, 1, 2, 2], [1, 2, 3, 4])),
  );
  assert.deepEqual(y!.shape, [1, 2]);
  assertClose(y!.data, [1, 6], 1e-6);
});

Deno.test("an operation or form that is not supported is named with its node", () => {
  const refused = (nodes: TfjsNode[], message: RegExp) => {
    const made = model([input(-1, 8, 8, 2), constantNode("w"), ...nodes], {
      w: [[1, 1, 2, 1], [1, 1]],
    });
    const name = nodes.at(-1)!.name;
    assert.throws(
      () => tfjsGraph(made.file, made.weights, { name: "t", outputs: [name] }),
      (error) => {
        assert.ok(error instanceof UnsupportedOpError, String(error));
        assert.equal(error.node, name);
        assert.match(error.message, message);
        return true;
      },
    );
  };
  const convolution = (attr: Record<string, TfjsAttribute>): TfjsNode => ({
    name: "bad",
    op: "_FusedConv2D",
    input: ["x", "w"],
    attr: { ...window(1, "SAME"), ...attr },
  });
  refused(
    [{ name: "bad", op: "TopKV2", input: ["x"] }],
    /TopKV2 \(node "bad"\): supported are Add/,
  );
  refused([convolution({ data_format: s("NCHW") })], /data format NCHW/);
  refused([convolution({ fused_ops: fused("FusedBatchNorm") })], /fused operations FusedBatchNorm/);
  refused([convolution({ strides: list(2, 1, 1, 1) })], /strides over batch or channels/);
  refused([{ name: "bad", op: "Mean", input: ["x", "w"] }], /axes \[1,1\] of rank 4/);
  refused(
    [{ name: "d", op: "Relu", input: ["x"] }, { name: "bad", op: "Conv2D", input: ["x", "d"] }],
    /input 1 is not a constant/,
  );
});

Deno.test("a broken topology is refused: cycle, missing node, no nodes, unknown tensor to name", () => {
  const attempt = (nodes: TfjsNode[], tensors: Record<string, string> = {}) => () => {
    const made = model([input(-1, 2, 2, 1), ...nodes], {});
    return tfjsGraph(made.file, made.weights, { name: "t", tensors, outputs: ["a"] });
  };
  const relu = (name: string, from: string): TfjsNode => ({ name, op: "Relu", input: [from] });
  assert.throws(attempt([relu("a", "b"), relu("b", "a")]), /a cycle at "a", read by "b"/);
  assert.throws(attempt([relu("a", "b")]), /no node at "b", read by "a"/);
  assert.throws(attempt([relu("a", "x:1")]), /reads output 1 of x/);
  assert.throws(attempt([relu("a", "x")], { q: "maps" }), /Cannot name tensor "q"/);
  assert.throws(
    () =>
      tfjsGraph(
        { format: "layers-model", modelTopology: { node: [] }, weightsManifest: [] },
        new Map(),
        {
          name: "t",
          outputs: ["a"],
        },
      ),
    (error) => error instanceof ModelError && /format "layers-model"/.test(error.message),
  );
});
