import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { maskedScores } from "../../src/classifier/channel_masks.ts";
import {
  drawShapMasks,
  kernelShapCam,
  shapCoefficients,
} from "../../src/methods/kernel_shap_cam.ts";
import { miniXception, noiseInputs, withContext } from "./shipped.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("the masks of Kernel SHAP follow the Shapley kernel", () => {
  const channels = 8, samples = 40_002;
  const { masks } = drawShapMasks(createRng(2), samples, channels);
  const sizes = new Array(channels + 1).fill(0);
  const each = new Array(channels).fill(0);
  for (let i = 0; i < samples; i++) {
    const mask = masks.subarray(i * channels, (i + 1) * channels);
    const kept = mask.reduce((a, b) => a + b, 0);
    if (i === 0) assert.equal(kept, channels);
    if (i === 1) assert.equal(kept, 0);
    if (i < 2) continue;
    sizes[kept]++;
    mask.forEach((x, k) => each[k] += x);
  }
  const kernel = Array.from({ length: 7 }, (_, i) => 7 / ((i + 1) * (7 - i)));
  const total = kernel.reduce((a, b) => a + b, 0);
  kernel.forEach((p, i) => {
    // Five standard deviations of a binomial.
    const expected = p / total;
    const deviation = Math.sqrt(expected * (1 - expected) / 40_000);
    assertClose(sizes[i + 1] / 40_000, expected, 5 * deviation, `size ${i + 1}`);
  });
  each.forEach((n, k) => assertClose(n / 40_000, 0.5, 0.0125, `channel ${k}: ${n}`));
});

Deno.test("Kernel SHAP finds the values of a sum exactly, and Shapley's where every set was drawn", () => {
  const rng = createRng(3);
  const sampled = drawShapMasks(rng, 60, 5);
  const values = [3, -1, 0.5, 0, 2];
  const sum = Float64Array.from(
    { length: 60 },
    (_, i) => 7 + values.reduce((total, v, k) => total + v * sampled.masks[i * 5 + k], 0),
  );
  assertClose(shapCoefficients(sampled, sum), values, 1e-12);
  // All sets of three players as often as the kernel says (1/2 : 1/2): exact Shapley values of v = product of the first two.
  const masks = Uint8Array.of(
    1,
    1,
    1,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    1,
    1,
    1,
    0,
    1,
    0,
    1,
    0,
    1,
    1,
  );
  const product = Float64Array.from({ length: 8 }, (_, i) => masks[3 * i] * masks[3 * i + 1]);
  const found = shapCoefficients({ masks, channels: 3 }, product);
  assertClose(found, [0.5, 0.5, 0], 1e-14);
});

Deno.test("Kernel SHAP with fewer masks than channels fits all scores, and the values sum to the difference", () => {
  const rng = createRng(6);
  const sampled = drawShapMasks(rng, 12, 40);
  const scores = Float64Array.from({ length: 12 }, () => rng.normal());
  const found = shapCoefficients(sampled, scores);
  const total = found.reduce((a, b) => a + b, 0);
  assertClose(total, scores[0] - scores[1], 1e-13);
  scores.forEach((score, i) => {
    let fitted = scores[1];
    for (let k = 0; k < 40; k++) fitted += found[k] * sampled.masks[i * 40 + k];
    assertClose(fitted, score, 1e-12, `mask ${i}`);
  });
});

Deno.test("KernelSHAP-CAM's weights sum to the score minus that of the empty layer", async () => {
  const classifier = await miniXception();
  const { channels } = classifier.layer;
  await withContext(classifier, noiseInputs(classifier, 2), "probability", async (context) => {
    const found = await kernelShapCam.compute(context, [1, 4, 0, 0]);
    assert.ok("weights" in found, Object.keys(found).join());
    assert.ok("data" in found.weights, Object.keys(found.weights).join());
    for (const [row, k] of [[0, 1], [1, 4]] as const) {
      const ends = new Uint8Array(2 * channels).fill(1, 0, channels);
      const { probabilities } = await maskedScores(classifier, context.forward, row, ends);
      const expected = probabilities.data[k] - probabilities.data[7 + k];
      let total = 0;
      for (let c = 0; c < channels; c++) total += Number(found.weights.data[row * channels + c]);
      assertClose(total, expected, 1e-6);
    }
  });
  await classifier.dispose();
});
