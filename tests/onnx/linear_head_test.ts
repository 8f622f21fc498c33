import assert from "node:assert/strict";
import { type AnyTensor, floats, type Tensor } from "../../src/base/tensor.ts";
import { float, type GraphBuilder, int, ints } from "../../src/onnx/graph.ts";
import { type LinearHead, linearHead } from "../../src/onnx/linear_head.ts";
import { readModel } from "../../src/onnx/model_file.ts";
import { cut } from "../../src/onnx/extract.ts";
import { netOn, noise, output, put, runNative } from "./native.ts";
import { assertClose } from "../assert_close.ts";

const [channels, classes, height, width] = [5, 3, 4, 6];
const matrix = noise([classes, channels], 3);
const bias = noise([classes], 4);

function transposed({ shape: [rows, columns], data }: Tensor): Tensor {
  return floats(
    [columns!, rows!],
    Float32Array.from(data, (_, i) => data[(i % rows!) * columns! + Math.floor(i / rows!)]),
  );
}

/** Checks logits = weights · mean(A) + bias against the model itself, in float64. */
async function assertLinear(b: GraphBuilder, head: LinearHead | { reason: string }) {
  assert(!("reason" in head), "reason" in head ? head.reason : "");
  const x = noise([2, channels, height, width], 9);
  const logits = (await runNative(b.graph, { x }))["logits"];
  const [n, k] = [2, head.weights.shape[0]];
  assert.deepEqual(logits.shape.slice(0, 2), [n, k]);
  for (let sample = 0; sample < n; sample++) {
    for (let row = 0; row < k; row++) {
      let sum: number = head.bias?.data[row] ?? 0;
      for (let c = 0; c < channels; c++) {
        const start = (sample * channels + c) * height * width;
        const cells = x.data.subarray(start, start + height * width);
        const mean = cells.reduce((a, v) => a + v, 0) / cells.length;
        sum += head.weights.data[row * channels + c] * mean;
      }
      const found = Number(logits.data[sample * k + row]);
      assertClose(found, sum, 1e-6, `sample ${sample}, class ${row}`);
    }
  }
}

const gap = (b: GraphBuilder) => b.op("GlobalAveragePool", ["maps"]);
const mean = (b: GraphBuilder, keep: number) =>
  b.op("ReduceMean", ["maps"], { axes: ints([-1, 2]), keepdims: int(keep) });

const heads: [string, (b: GraphBuilder) => void][] = [
  ["GlobalAveragePool, Flatten and Gemm with transB", (b) => {
    const flat = b.op("Flatten", [b.op("Dropout", [gap(b)])]);
    put(
      b,
      "Gemm",
      [flat, b.initializer(matrix), b.initializer(bias)],
      { transB: int(1) },
      "logits",
    );
  }],
  ["Gemm with alpha and beta", (b) => {
    const attributes = { alpha: float(0.5), beta: float(2) };
    const weights = b.initializer(transposed(matrix));
    put(b, "Gemm", [mean(b, 0), weights, b.initializer(bias)], attributes, "logits");
  }],
  ["ReduceMean, Reshape, MatMul and two Adds", (b) => {
    const flat = b.op("Reshape", [mean(b, 1), b.ints([-1, channels])]);
    const product = b.op("MatMul", [flat, b.initializer(transposed(matrix))]);
    const sum = b.op("Add", [b.initializer(bias), product]);
    put(b, "Add", [sum, b.scalar(2)], {}, "logits");
  }],
  ["AveragePool over everything and a 1×1 Conv", (b) => {
    const pooled = b.op("AveragePool", ["maps"], { kernel_shape: ints([height, width]) });
    const weights = b.initializer(floats([classes, channels, 1, 1], matrix.data));
    const conv = b.op("Conv", [pooled, weights, b.initializer(bias)]);
    put(b, "Squeeze", [conv, b.ints([2, 3])], {}, "logits");
  }],
  ["a 1×1 Conv before the pooling", (b) => {
    const weights = b.initializer(floats([classes, channels, 1, 1], matrix.data));
    const conv = b.op("Conv", ["maps", weights, b.initializer(bias)]);
    put(b, "Flatten", [b.op("GlobalAveragePool", [conv])], {}, "logits");
  }],
  ["pooling alone", (b) => put(b, "Flatten", [gap(b)], {}, "logits")],
  ["channels last, as Keras exports it", (b) => {
    const last = b.op("Transpose", ["maps"], { perm: ints([0, 2, 3, 1]) });
    const pooled = b.op("ReduceMean", [last], { axes: ints([1, 2]), keepdims: int(0) });
    const product = b.op("MatMul", [pooled, b.initializer(transposed(matrix))]);
    put(b, "Add", [product, b.initializer(bias)], {}, "logits");
  }],
  ["height and width joined before the mean", (b) => {
    const joined = b.op("Reshape", ["maps", b.ints([0, 0, -1])]);
    const pooled = b.op("ReduceMean", [joined], { axes: ints([2]), keepdims: int(0) });
    put(b, "Gemm", [pooled, b.initializer(matrix)], { transB: int(1) }, "logits");
  }],
  ["weights that are stored in 8 bits", (b) => {
    const bytes: AnyTensor = {
      type: "uint8",
      shape: [channels, classes],
      data: Uint8Array.from({ length: channels * classes }, (_, i) => 17 * i),
    };
    const scaled = b.op("Mul", [
      b.op("Cast", [b.initializer(bytes)], { to: int(1) }),
      b.scalar(0.01),
    ]);
    put(b, "MatMul", [mean(b, 0), b.op("Add", [scaled, b.scalar(-1)])], {}, "logits");
  }],
  // By a Conv: ONNX Runtime 1.30 runs MatMul on dequantised weights with 8-bit activations, off by 1e-3.
  ["weights that are dequantised by channel", (b) => {
    const bytes: AnyTensor = {
      type: "int8",
      shape: [classes, channels, 1, 1],
      data: Int8Array.from({ length: channels * classes }, (_, i) => 9 * i - 60),
    };
    const weights = b.op("DequantizeLinear", [
      b.initializer(bytes),
      b.floats([classes], [0.01, 0.02, 0.03]),
      b.initializer({ type: "int8", shape: [classes], data: Int8Array.of(1, -2, 3) }),
    ], { axis: int(0) });
    put(b, "Flatten", [b.op("Conv", [gap(b), weights])], {}, "logits");
  }],
  ["weights that are transposed in the model", (b) => {
    const weights = b.op("Transpose", [b.initializer(matrix)]);
    put(b, "MatMul", [mean(b, 0), weights], {}, "logits");
  }],
  ["weights that are stored as float16", (b) => {
    const halves: AnyTensor = {
      type: "float16",
      shape: [channels, classes],
      data: new Uint16Array(
        Float16Array.from({ length: channels * classes }, (_, i) => i / 7).buffer,
      ),
    };
    put(
      b,
      "MatMul",
      [mean(b, 0), b.op("Cast", [b.initializer(halves)], { to: int(1) })],
      {},
      "logits",
    );
  }],
];

for (const [what, build] of heads) {
  Deno.test(`a linear head is found in: ${what}`, async () => {
    const b = netOn(["N", channels, height, width]);
    put(b, "Identity", ["x"], {}, "maps");
    build(b);
    const head = linearHead(output(b, "logits"), "maps", "logits");
    await assertLinear(b, head);
  });
}

const others: [RegExp, (b: GraphBuilder) => void][] = [
  [
    /^Relu "layer\/Relu_\d" is neither pooling nor linear$/,
    (b) => put(b, "Flatten", [b.op("Relu", [gap(b)])], {}, "logits"),
  ],
  [/no global average pooling/, (b) => {
    const weights = b.initializer(noise([classes, channels, 1, 1]));
    put(b, "Conv", ["maps", weights], {}, "logits");
  }],
  [
    /mixes channels/,
    (b) =>
      put(b, "Gemm", [b.op("Flatten", ["maps"]), b.initializer(noise([120, 3]))], {}, "logits"),
  ],
  [
    /over other axes/,
    (b) => put(b, "ReduceMean", ["maps"], { axes: ints([1, 2]), keepdims: int(0) }, "logits"),
  ],
  [/does not pool over the whole extent/, (b) => {
    const pooled = b.op("AveragePool", ["maps"], { kernel_shape: ints([2, 2]) });
    put(b, "Flatten", [b.op("GlobalAveragePool", [pooled])], {}, "logits");
  }],
  [/branches at Mul/, (b) => put(b, "Mul", [gap(b), "maps"], {}, "logits")],
  [/second linear layer/, (b) => {
    const first = b.op("MatMul", [mean(b, 0), b.initializer(noise([channels, 4]))]);
    put(b, "MatMul", [first, b.initializer(noise([4, 3]))], {}, "logits");
  }],
  [
    /adds something that is not constant|does not add one number a class/,
    (b) => put(b, "Add", [gap(b), b.initializer(noise([channels, 2, 2]))], {}, "logits"),
  ],
  [/is not a 1×1 convolution/, (b) => {
    const conv = b.op("Conv", ["maps", b.initializer(noise([classes, channels, 3, 3]))]);
    put(b, "Flatten", [b.op("GlobalAveragePool", [conv])], {}, "logits");
  }],
];

Deno.test("other heads are refused with a reason that names the node", () => {
  for (const [reason, build] of others) {
    const b = netOn(["N", channels, height, width]);
    put(b, "Identity", ["x"], {}, "maps");
    build(b);
    const head = linearHead(output(b, "logits"), "maps", "logits");
    assert("reason" in head, Object.keys(head).join());
    assert.match(head.reason, reason);
  }
});

Deno.test("exported models: the linear head gives the head's logits", async () => {
  for (const file of ["mobile.onnx", "mobile_bn.onnx", "mobile_dynamo.onnx"]) {
    const url = new URL(`../golden/onnx/${file}`, import.meta.url);
    const graph = readModel(Deno.readFileSync(url));
    const found = linearHead(graph, "last_act", "logits");
    assert(!("reason" in found), Object.keys(found).join());
    assert.deepEqual([found.weights.shape, found.bias!.shape], [[20, 48], [20]]);
    const last_act = noise([1, 48, 7, 9]);
    const { logits } = await runNative(cut(graph, "last_act").head, { last_act });
    for (let k = 0; k < 20; k++) {
      let sum: number = found.bias!.data[k];
      for (let c = 0; c < 48; c++) {
        const cells = last_act.data.subarray(c * 63, (c + 1) * 63);
        sum += found.weights.data[k * 48 + c] * cells.reduce((a, v) => a + v, 0) / 63;
      }
      assertClose(Number(logits!.data[k]), sum, 1e-6);
    }
  }
});
