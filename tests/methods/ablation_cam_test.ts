import assert from "node:assert/strict";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import { ablationCam } from "../../src/methods/ablation_cam.ts";
import type { MethodContext } from "../../src/methods/mod.ts";
import { int } from "../../src/onnx/graph.ts";
import { rowOf } from "../../src/classifier/values.ts";
import { makeClassifier } from "../classifier/made_classifier.ts";
import { put } from "../onnx/native.ts";
import { mapDifference, mapsOf, openMobile } from "./reference_nets.ts";
import { miniXception, noiseInputs, withContext } from "./shipped.ts";
import { assertAtMost, assertEvery } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

async function weightsOf(context: MethodContext, classes: readonly number[]): Promise<Tensor> {
  const found = await ablationCam.compute(context, classes);
  assert.ok("weights" in found, Object.keys(found).join());
  return found.weights as Tensor;
}

Deno.test("Ablation-CAM equals pytorch-grad-cam's with zeros on a small net", async () => {
  const net = await openMobile();
  for (const [target, kind] of [["logit", "logit"], ["probability", "prob"]] as const) {
    const expected = await net.read(`pgc/ablationcam_zero_${kind}_raw.npy`);
    const difference = mapDifference(await mapsOf(net, ablationCam, target), expected);
    assertAtMost(difference, 2e-5, kind);
  }
  await net.classifier.dispose();
});

Deno.test("Ablation-CAM's weights are the relative drops of the score, one channel at a time", async () => {
  const classifier = await miniXception();
  const { channels, height, width } = classifier.layer;
  await withContext(classifier, noiseInputs(classifier, 2), "probability", async (context) => {
    const weights = await weightsOf(context, [3, 5, 0, 0]);
    assert.deepEqual(weights.shape, [4, channels]);
    for (const [row, k] of [[0, 3], [1, 5]] as const) {
      const whole = context.forward.probabilities.data[row * 7 + k];
      const own = await rowOf(context.forward.activation, row);
      for (let c = 0; c < channels; c++) {
        const data = own.data.slice();
        data.fill(0, c * height * width, (c + 1) * height * width);
        const scores = await classifier.evaluateHead(floats(own.shape, data), context.forward, row);
        const expected = (whole - scores.probabilities.data[k]) / whole;
        const found = weights.data[row * channels + c];
        const most = 1e-5 * Math.max(1, Math.abs(expected));
        assertClose(found, expected, most, `row ${row}, channel ${c}`);
      }
    }
    assertEvery(weights.data.subarray(2 * channels), (w) => w === 0, "padding");
  });
  await classifier.dispose();
});

Deno.test("Ablation-CAM of a pooling + linear head's logit is the head's weight times the channel's mean", async () => {
  const net = await openMobile();
  const { classifier } = net;
  const head = classifier.linearHead();
  assert.ok("weights" in head, Object.keys(head).join());
  const { channels, height, width } = classifier.layer;
  await withContext(classifier, net.inputs, "logit", async (context) => {
    const weights = await weightsOf(context, [8, 7]);
    for (const [row, k] of [[0, 8], [1, 7]] as const) {
      const own = await rowOf(context.forward.activation, row);
      const logit = context.forward.logits!.data[row * classifier.classes.length + k];
      for (let c = 0; c < channels; c++) {
        const cells = own.data.subarray(c * height * width, (c + 1) * height * width);
        const mean = cells.reduce((sum, x) => sum + x, 0) / cells.length;
        const expected: number = head.weights.data[k * channels + c] * mean / logit;
        assertClose(weights.data[row * channels + c], expected, 2e-6);
      }
    }
  });
  await classifier.dispose();
});

Deno.test("Ablation-CAM's weights are NaN where the score is 0, or so near to it that float32 does not hold them", async () => {
  const classifier = await makeClassifier({
    input: ["N", 3, 2, 2],
    layer: "a",
    net: (b) => {
      put(b, "Relu", ["x"], {}, "a");
      const pooled = b.op("Flatten", [b.op("GlobalAveragePool", ["a"])]);
      const weights = floats([4, 3], [1, -1, 0, 0, 0, 0, 1, -1, 0, 1, 2, 0]);
      const bias = floats([4], [0, 0, 2 ** -130, 0]);
      return b.op("Gemm", [pooled, b.initializer(weights), b.initializer(bias)], {
        transB: int(1),
      });
    },
  });
  const input = floats([1, 3, 2, 2], new Float32Array(12).fill(1));
  await withContext(classifier, input, "logit", async (context) => {
    assert.deepEqual([...context.forward.logits!.data.subarray(0, 4)], [0, 0, 2 ** -130, 3]);
    for (const k of [0, 1]) {
      const { data } = await weightsOf(context, [k, 0]);
      assert.deepEqual([...data], [NaN, NaN, NaN, 0, 0, 0], `class ${k}`);
    }
    // 2¹³⁰ and −2¹³⁰ are beyond float32; the third channel has no say in the score, and its weight is 0.
    assert.deepEqual([...(await weightsOf(context, [2, 0])).data], [NaN, NaN, 0, 0, 0, 0]);
    const { data } = await weightsOf(context, [3, 0]);
    assertClose(data.subarray(0, 3), [1 / 3, 2 / 3, 0], 1e-6);
  });
  await classifier.dispose();
});
