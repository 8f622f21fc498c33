import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import { maskedScores, maskWay } from "../../src/classifier/channel_masks.ts";
import type { Classifier, Forward } from "../../src/classifier/classifier.ts";
import { rowOf } from "../../src/classifier/values.ts";
import { type Attribute, float, type GraphBuilder, int, ints } from "../../src/onnx/graph.ts";
import { noise, put, relativeError } from "../onnx/native.ts";
import { makeClassifier } from "./made_classifier.ts";
import { assertClose } from "../assert_close.ts";
import { assertAtMost } from "../assert_that.ts";

const C = 6;

/** The layer "a" [N, 6, 9, 8], with values of either sign. */
function layer(b: GraphBuilder): string {
  const weights = b.initializer(noise([C, 3, 3, 3], 2));
  const attributes: Record<string, Attribute> = { pads: ints([1, 1, 1, 1]) };
  return put(b, "Conv", ["x", weights, b.floats([C], noise([C], 3).data)], attributes, "a");
}

const weights = (b: GraphBuilder, shape: readonly number[], seed = 7) =>
  b.initializer(noise(shape, seed));
const dense = (b: GraphBuilder, x: string, inputs: number, outputs: number) =>
  b.op("Gemm", [x, weights(b, [inputs, outputs]), b.floats([outputs], noise([outputs], 4).data)]);
const pool = { kernel_shape: ints([3, 3]), strides: ints([2, 2]) };
const flat = (b: GraphBuilder, x: string) => b.op("Flatten", [x]);

interface Case {
  readonly name: string;
  readonly head: (b: GraphBuilder, a: string) => string;
  readonly way: "sums" | "head";
  readonly batch?: number;
  readonly fixed?: boolean;
}

const CASES: readonly Case[] = [
  {
    name: "ReLU, pooling, transposed axes and three dense layers, as in EmoNet",
    way: "sums",
    head: (b, a) => {
      const pooled = b.op("MaxPool", [b.op("Relu", [a])], pool);
      const turned = b.op("Transpose", [pooled], { perm: ints([0, 1, 3, 2]) });
      const joined = b.op("Reshape", [turned, b.ints([-1, C * 12])]);
      const w = weights(b, [10, C * 12]);
      const hidden = b.op("Gemm", [joined, w, b.floats([10], noise([10], 4).data)], {
        transB: int(1),
        alpha: float(0.5),
        beta: float(2),
      });
      return dense(b, b.op("Relu", [hidden]), 10, 4);
    },
  },
  {
    name: "functions that are not 0 at 0",
    way: "sums",
    head: (b, a) => {
      const curved = b.op("Add", [b.op("Sigmoid", [a]), b.op("Exp", [b.op("Neg", [a])])]);
      return dense(b, b.op("Tanh", [dense(b, flat(b, curved), C * 72, 5)]), 5, 4);
    },
  },
  {
    name: "SiLU and global pooling straight into the logits",
    way: "sums",
    head: (b, a) => {
      const silu = b.op("Mul", [a, b.op("Sigmoid", [a])]);
      return dense(b, flat(b, b.op("GlobalAveragePool", [silu])), C, 4);
    },
  },
  {
    name: "a sum over space and a matrix product with a bias after it",
    way: "sums",
    head: (b, a) => {
      const sum = b.op("ReduceSum", [a, b.ints([2, 3])], { keepdims: int(0) });
      const logits = b.op("MatMul", [sum, weights(b, [C, 4])]);
      return b.op("Add", [logits, b.floats([4], [1, 2, 3, 4])]);
    },
  },
  {
    name: "channels last",
    way: "sums",
    head: (b, a) => {
      const turned = b.op("Transpose", [b.op("Elu", [a])], { perm: ints([0, 2, 3, 1]) });
      return dense(b, flat(b, turned), C * 72, 4);
    },
  },
  {
    name: "channels in the middle of an axis",
    way: "sums",
    head: (b, a) => {
      const turned = b.op("Transpose", [a], { perm: ints([0, 2, 1, 3]) });
      return dense(b, b.op("Relu", [dense(b, flat(b, turned), C * 72, 7)]), 7, 4);
    },
  },
  {
    name: "a matrix product for each place, as in attention",
    way: "sums",
    head: (b, a) => {
      const tokens = b.op("Reshape", [a, b.ints([-1, C, 72])]);
      const turned = b.op("Transpose", [tokens], { perm: ints([0, 2, 1]) });
      const mixed = b.op("Softmax", [b.op("MatMul", [turned, weights(b, [C, 5])])], {
        axis: int(-1),
      });
      return dense(b, flat(b, mixed), 360, 4);
    },
  },
  {
    name: "batch normalisation, depthwise convolution and a strided convolution",
    way: "sums",
    head: (b, a) => {
      const parameters = [1, 2, 3, 4].map((seed) =>
        b.floats([C], noise([C], seed).data.map((x) => x + 1.5))
      );
      const normal = b.op("BatchNormalization", [a, ...parameters]);
      const deep = b.op("Conv", [normal, weights(b, [C, 1, 3, 3])], { group: int(C) });
      const attributes = { strides: ints([2, 1]), pads: ints([1, 0, 0, 2]) };
      const bias = b.floats([8], noise([8], 5).data);
      const mixed = b.op(
        "Conv",
        [b.op("Relu", [deep]), weights(b, [8, C, 3, 2]), bias],
        attributes,
      );
      return dense(b, flat(b, b.op("GlobalAveragePool", [b.op("Relu", [mixed])])), 8, 4);
    },
  },
  {
    name: "something else that enters before the product and after it",
    way: "sums",
    head: (b, a) => {
      const other = b.op("Conv", ["x", weights(b, [C, 3, 1, 1], 9)]);
      const sum = b.op("Relu", [b.op("Add", [a, other])]);
      const hidden = dense(b, flat(b, sum), C * 72, 5);
      const mean = b.op("ReduceSum", [other, b.ints([1, 2, 3])], { keepdims: int(0) });
      const scaled = b.op("Mul", [hidden, b.op("Reshape", [mean, b.ints([-1, 1])])]);
      return dense(b, scaled, 5, 4);
    },
  },
  {
    name: "a model with a fixed batch",
    way: "sums",
    fixed: true,
    batch: 4,
    head: (b, a) => {
      const joined = b.op("Reshape", [b.op("Relu", [a]), b.ints([4, C * 72])]);
      return dense(b, b.op("Relu", [dense(b, joined, C * 72, 5)]), 5, 4);
    },
  },
  {
    name: "LRN, which mixes channels",
    way: "head",
    head: (b, a) => {
      const normal = b.op("LRN", [a], { size: int(3), alpha: float(1) });
      return dense(b, flat(b, normal), C * 72, 4);
    },
  },
  {
    name: "a skip connection over the product",
    way: "head",
    head: (b, a) => {
      const mixed = b.op("Conv", [a, weights(b, [C, C, 3, 3])], { pads: ints([1, 1, 1, 1]) });
      return dense(b, flat(b, b.op("Relu", [b.op("Add", [a, mixed])])), C * 72, 4);
    },
  },
  {
    name: "channels that a softmax mixes",
    way: "head",
    head: (b, a) => dense(b, flat(b, b.op("Softmax", [a], { axis: int(1) })), C * 72, 4),
  },
  {
    name: "no product at all",
    way: "head",
    head: (b, a) => {
      const mean = flat(b, b.op("GlobalAveragePool", [b.op("Relu", [a])]));
      return b.op("Slice", [mean, b.ints([0]), b.ints([4]), b.ints([1])]);
    },
  },
  {
    name: "a product of the layer with itself",
    way: "head",
    head: (b, a) => {
      const tokens = b.op("Reshape", [a, b.ints([-1, C, 72])]);
      const gram = b.op("MatMul", [tokens, b.op("Transpose", [tokens], { perm: ints([0, 2, 1]) })]);
      return dense(b, flat(b, gram), C * C, 4);
    },
  },
  {
    name: "an infinite value at 0",
    way: "sums",
    head: (b, a) => {
      const power = b.op("Pow", [b.op("Abs", [a]), b.scalar(-0.25)]);
      const ones = b.floats([C * 72, 3], new Float32Array(C * 72 * 3).fill(1));
      const sums = b.op("MatMul", [flat(b, power), ones]);
      return dense(b, b.op("Reciprocal", [sums]), 3, 4);
    },
  },
];

/** The slow twin: the head once for each mask, on an activation with channels set to 0. */
async function oneByOne(
  classifier: Classifier,
  forward: Forward,
  row: number,
  masks: Uint8Array,
): Promise<Tensor> {
  const { data, shape } = await rowOf(forward.activation, row);
  const cells = shape[2] * shape[3];
  const logits: number[] = [];
  for (let m = 0; m < masks.length / C; m++) {
    const masked = data.map((x, i) => masks[m * C + Math.floor(i / cells)] ? x : 0);
    const scores = await classifier.evaluateHead(floats(shape, masked), forward, row);
    logits.push(...scores.logits!.data);
  }
  return floats([masks.length / C, logits.length / (masks.length / C)], logits);
}

for (const { name, head, way, fixed, batch = 2 } of CASES) {
  Deno.test(`maskedScores equals the head on masked activations: ${name}`, async () => {
    const classifier = await makeClassifier({
      input: [fixed ? batch : "N", 3, 9, 8],
      net: (b) => head(b, layer(b)),
      layer: "a",
      batch,
    });
    try {
      const chosen = maskWay(classifier);
      assert.equal(chosen.kind, way, "reason" in chosen ? chosen.reason : "");
      const forward = await classifier.forward(noise([2, 3, 9, 8], 11));
      const rng = createRng(1);
      const masks = Uint8Array.from({ length: 9 * C }, () => rng.below(2));
      masks.fill(1, 0, C).fill(0, C, 2 * C);
      for (const row of [0, 1]) {
        const found = await maskedScores(classifier, forward, row, masks);
        const expected = await oneByOne(classifier, forward, row, masks);
        const error = relativeError(found.logits!, expected);
        assertAtMost(error, 1e-5, `row ${row}`);
        assert.deepEqual(found.probabilities.shape, expected.shape);
        const whole = forward.logits!.data.subarray(row * 4, row * 4 + 4);
        const full = floats([4], found.logits!.data.slice(0, 4));
        assertClose(full, floats([4], whole), { ofLargest: 1e-5 });
      }
    } finally {
      await classifier.dispose();
    }
  });
}

Deno.test("maskedScores refuses masks of another number of channels", async () => {
  const classifier = await makeClassifier({
    input: ["N", 3, 9, 8],
    net: (b) => dense(b, flat(b, layer(b)), C * 72, 4),
    layer: "a",
  });
  const forward = await classifier.forward(noise([1, 3, 9, 8]));
  await assert.rejects(maskedScores(classifier, forward, 0, new Uint8Array(7)), RangeError);
  await assert.rejects(maskedScores(classifier, forward, 0, new Uint8Array(0)), RangeError);
  await classifier.dispose();
});
