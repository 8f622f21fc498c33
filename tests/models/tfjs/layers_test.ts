import assert from "node:assert/strict";
import { createRng } from "../../../src/base/rng.ts";
import { floats, sizeOf, type Tensor } from "../../../src/base/tensor.ts";
import { emptyGraph, GraphBuilder, type Value } from "../../../src/onnx/graph.ts";
import { writeModel } from "../../../src/onnx/model_file.ts";
import { toFloats } from "../../../src/runtime/session.ts";
import { openSession } from "../../../src/runtime/open.ts";
import { conv, depthwiseConv, pool, samePadding } from "../../../models/build/tfjs/layers.ts";
import { constant } from "../../../models/build/tfjs/weights.ts";
import { toChannelsFirst } from "../../nets_helpers.ts";
import { assertClose } from "../../assert_close.ts";

Deno.test("samePadding puts the odd cell after, as TensorFlow does", () => {
  assert.deepEqual(samePadding(112, 3, 2), [0, 1]);
  assert.deepEqual(samePadding(29, 3, 2), [1, 1]);
  assert.deepEqual(samePadding(207, 2, 2), [0, 1]);
  assert.deepEqual(samePadding(52, 2, 2), [0, 0]);
  assert.deepEqual(samePadding(13, 2, 1), [0, 1]);
  assert.deepEqual(samePadding(29, 1, 2), [0, 0]);
  assert.deepEqual(samePadding(10, 3, 1, 2), [2, 2]);
});

interface Case {
  shape: [number, number, number, number];
  kernel: [number, number];
  stride: number;
  outputs: number;
}

/** TensorFlow's SAME convolution written from its definition: out[i] sums over in[i * stride + k - before]. */
function slowConv(
  x: Tensor,
  w: Tensor,
  { stride, depthwise }: { stride: number; depthwise: boolean },
): Tensor {
  const [n, h, width, c] = x.shape as [number, number, number, number];
  const [kh, kw, , last] = w.shape as [number, number, number, number];
  const out = [Math.ceil(h / stride), Math.ceil(width / stride)] as const;
  const before = (size: number, k: number, cells: number) =>
    Math.floor(Math.max((cells - 1) * stride + k - size, 0) / 2);
  const [top, left] = [before(h, kh, out[0]), before(width, kw, out[1])];
  const channels = depthwise ? c * last : last;
  const result = new Float32Array(n * out[0] * out[1] * channels);
  let to = 0;
  for (let b = 0; b < n; b++) {
    for (let i = 0; i < out[0]; i++) {
      for (let j = 0; j < out[1]; j++) {
        for (let o = 0; o < channels; o++) {
          let sum = 0;
          for (let di = 0; di < kh; di++) {
            for (let dj = 0; dj < kw; dj++) {
              const y = i * stride + di - top, u = j * stride + dj - left;
              if (y < 0 || y >= h || u < 0 || u >= width) continue;
              const first = depthwise ? Math.floor(o / last) : 0;
              for (let k = first; k < (depthwise ? first + 1 : c); k++) {
                sum += x.data[((b * h + y) * width + u) * c + k] *
                  w.data[((di * kw + dj) * c + k) * last + (depthwise ? o % last : o)];
              }
            }
          }
          result[to++] = sum;
        }
      }
    }
  }
  return floats([n, ...out, channels], result);
}

async function run(build: (b: GraphBuilder) => Value, input: Tensor): Promise<Tensor> {
  const graph = emptyGraph("layer");
  graph.inputs.push({ name: "input", type: "float32", shape: input.shape });
  const name = build(new GraphBuilder(graph, new Map(), () => {}));
  graph.outputs.push({ name, type: "float32" });
  const session = await openSession(writeModel(graph), "native");
  try {
    return await toFloats((await session.run({ input }))[name]);
  } finally {
    await session.dispose();
  }
}

function random(shape: readonly number[], seed: number): Tensor {
  const rng = createRng(seed);
  return floats(shape, Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()));
}

const CASES: Case[] = [
  { shape: [2, 8, 7, 3], kernel: [3, 3], stride: 2, outputs: 4 },
  { shape: [1, 5, 6, 2], kernel: [3, 2], stride: 1, outputs: 3 },
  { shape: [1, 9, 9, 2], kernel: [1, 1], stride: 2, outputs: 5 },
];

Deno.test("conv is TensorFlow's NHWC convolution with HWIO filters and SAME padding", async () => {
  for (const [k, { shape, kernel, stride, outputs }] of CASES.entries()) {
    const x = random(shape, k), w = random([...kernel, shape[3], outputs], 10 + k);
    const expected = toChannelsFirst(slowConv(x, w, { stride, depthwise: false }));
    const found = await run((b) =>
      conv(b, "input", {
        filters: constant("w", w.shape, [...w.data]),
        strides: [stride, stride],
        padding: [
          samePadding(shape[1], kernel[0], stride),
          samePadding(shape[2], kernel[1], stride),
        ],
      }), toChannelsFirst(x));
    assert.deepEqual(found.shape, expected.shape);
    // Sums of at most 27 products of normal numbers in float32.
    assertClose(found.data, expected.data, 1e-5);
  }
});

Deno.test("depthwiseConv keeps each channel's multiplied outputs together", async () => {
  for (const [k, { shape, kernel, stride }] of CASES.entries()) {
    const x = random(shape, 20 + k), w = random([...kernel, shape[3], 2], 30 + k);
    const expected = toChannelsFirst(slowConv(x, w, { stride, depthwise: true }));
    const found = await run((b) =>
      depthwiseConv(b, "input", {
        filters: constant("w", w.shape, [...w.data]),
        strides: [stride, stride],
        padding: [
          samePadding(shape[1], kernel[0], stride),
          samePadding(shape[2], kernel[1], stride),
        ],
      }), toChannelsFirst(x));
    assert.deepEqual(found.shape, expected.shape);
    assertClose(found.data, expected.data, 1e-5);
  }
});

Deno.test("an average pool leaves its padding out of the mean", async () => {
  const found = await run((b) =>
    pool(b, "input", {
      kind: "AveragePool",
      kernel: [2, 2],
      strides: [2, 2],
      padding: [[0, 1], [0, 1]],
    }), floats([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]));
  assert.deepEqual([...found.data], [3, 4.5, 7.5, 9]);
});
