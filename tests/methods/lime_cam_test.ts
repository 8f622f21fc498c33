import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { rows, type Tensor } from "../../src/base/tensor.ts";
import {
  drawLimeMasks,
  limeCam,
  limeCoefficients,
  limeSimilarities,
} from "../../src/methods/lime_cam.ts";
import { miniXception, noiseInputs, withContext } from "./shipped.ts";
import { assertClose } from "../assert_close.ts";
import { assertSome } from "../assert_that.ts";

Deno.test("LIME's similarities are those of the cosine of whole activations", () => {
  const activation = [[1, 2], [-3, 0], [0.5, 0.5]];
  const sampled = { masks: Uint8Array.of(1, 1, 1, 0, 1, 0, 0, 0, 0), channels: 3 };
  const energies = Float64Array.from(activation, (cells) => cells.reduce((s, x) => s + x * x, 0));
  const found = limeSimilarities(sampled, energies);
  const flat = activation.flat();
  const expected = [[1, 1, 1], [0, 1, 0], [0, 0, 0]].map((mask) => {
    const masked = flat.map((x, i) => x * mask[Math.floor(i / 2)]);
    const dot = masked.reduce((sum, x, i) => sum + x * flat[i], 0);
    const size = (v: number[]) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
    const cosine = size(masked) > 0 ? dot / (size(masked) * size(flat)) : 0;
    return Math.exp(-((1 - cosine) ** 2) / 2);
  });
  assertClose(found, expected, 1e-15);
});

Deno.test("LIME's coefficients minimise the weighted, penalised squares with a free constant", () => {
  const rng = createRng(8);
  const sampled = drawLimeMasks(rng, 40, 6);
  const truth = [1, -0.5, 0, 0.2, 0, 3];
  const y = Float64Array.from(
    { length: 40 },
    (_, i) =>
      5 + truth.reduce((sum, t, k) => sum + t * sampled.masks[i * 6 + k], 0) + 0.1 * rng.normal(),
  );
  const weights = Float64Array.from({ length: 40 }, () => 0.2 + rng.uniform());
  const total = weights.reduce((a, b) => a + b, 0);
  const loss = (beta: readonly number[]) => {
    const rest = Array.from(
      y,
      (value, i) => value - beta.reduce((sum, b, k) => sum + b * sampled.masks[i * 6 + k], 0),
    );
    const constant = rest.reduce((sum, r, i) => sum + weights[i] * r, 0) / total;
    const squares = rest.reduce((sum, r, i) => sum + weights[i] * (r - constant) ** 2, 0);
    return squares / (2 * total) + 0.01 * beta.reduce((sum, b) => sum + Math.abs(b), 0);
  };
  const found = [...limeCoefficients(sampled, y, weights)];
  const least = loss(found);
  for (let k = 0; k < 6; k++) {
    for (const step of [1e-3, -1e-3, 0.1, -0.1]) {
      assert.ok(loss(found.map((b, j) => j === k ? b + step : b)) > least, `${k} ${step}`);
    }
  }
});

Deno.test("LIME-CAM draws by sample, not by place, and its masks keep half of the channels", async () => {
  const { masks } = drawLimeMasks(createRng(1), 256, 64);
  const kept = masks.reduce((a, b) => a + b, 0) / masks.length;
  assertClose(kept, 0.5, 0.02);
  const classifier = await miniXception();
  const { channels } = classifier.layer;
  const inputs = noiseInputs(classifier, 2);
  const weights = async (values: Tensor, keys: string[]) =>
    await withContext(classifier, values, "logit", async (context) => {
      const found = await limeCam.compute(context, [2, 2, 2, 2]);
      assert.ok("weights" in found, Object.keys(found).join());
      return found.weights as Tensor;
    }, keys);
  const both = await weights(inputs, ["a", "b"]);
  const second = await weights(rows(inputs, 1, 2), ["b"]);
  assert.deepEqual(
    [...second.data.subarray(0, channels)],
    [...both.data.subarray(channels, 2 * channels)],
  );
  assertSome(second.data, (w) => w !== 0);
  await classifier.dispose();
});
