import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { floats } from "../../src/base/tensor.ts";
import type { MethodContext } from "../../src/methods/mod.ts";
import { drawRiseMask, rise, type RiseMask, riseMask, sumOfMasks } from "../../src/methods/rise.ts";
import { makeClassifier } from "../classifier/made_classifier.ts";
import { noise, put } from "../onnx/native.ts";
import { mapOf, withContext } from "./shipped.ts";
import { assertClose } from "../assert_close.ts";
import { assertEvery } from "../assert_that.ts";

const H = 16, W = 21;

/** The slow twin: one pixel of the enlarged and shifted grid, by the definition of bilinear interpolation. */
function pixel({ cells, shiftY, shiftX }: RiseMask, y: number, x: number): number {
  const at = (p: number, extent: number) => (p + 0.5) * 7 / (8 * Math.ceil(extent / 7)) - 0.5;
  const v = at(y + shiftY, H), u = at(x + shiftX, W);
  const clamp = (i: number) => Math.min(Math.max(i, 0), 6);
  let value = 0;
  for (const i of [Math.floor(v), Math.floor(v) + 1]) {
    for (const j of [Math.floor(u), Math.floor(u) + 1]) {
      const weight = (1 - Math.abs(v - i)) * (1 - Math.abs(u - j));
      value += weight * cells[clamp(i) * 7 + clamp(j)];
    }
  }
  return value;
}

Deno.test("RISE's masks are grids of 7 × 7 cells, enlarged, shifted and half open on average", () => {
  const rng = createRng(3);
  const shifts = new Set<string>();
  let sum = 0;
  for (let i = 0; i < 200; i++) {
    const drawn = drawRiseMask(rng, i, H, W);
    shifts.add(`${drawn.shiftY} ${drawn.shiftX}`);
    const mask = riseMask(drawn, H, W);
    mask.forEach((value, p) => {
      const expected = pixel(drawn, Math.floor(p / W), p % W);
      assertClose(value, expected, 1e-6, `mask ${i}, pixel ${p}`);
      sum += value;
    });
  }
  // 3 × 3 places; the mean of 200 masks of 49 cells has a standard deviation below 0.01.
  assert.equal(shifts.size, 9);
  assertClose(sum / (200 * H * W), 0.5, 0.03);
});

Deno.test("RISE's map is the mean of the masks weighted by their scores, over the share that they keep", async () => {
  const classifier = await makeClassifier({
    input: ["N", 3, H, W],
    layer: "a",
    net: (b) => {
      const a = put(b, "Conv", ["x", b.initializer(noise([4, 3, 3, 3], 2))], {}, "a");
      return b.op("Flatten", [b.op("GlobalAveragePool", [b.op("Relu", [a])])]);
    },
  });
  const input = noise([1, 3, H, W], 9);
  await withContext(classifier, input, "logit", async (context) => {
    const map = await mapOf(rise, context, [2, 0]);
    assert.deepEqual(map.shape, [2, H, W]);
    const expected = new Float64Array(H * W);
    const rng = context.rng("rise", 0);
    for (let i = 0; i < 500; i++) {
      const drawn = drawRiseMask(rng, i, H, W);
      const mask = Float32Array.from(
        { length: H * W },
        (_, p) => pixel(drawn, Math.floor(p / W), p % W),
      );
      const masked = floats(input.shape, input.data.map((x, p) => x * mask[p % (H * W)]));
      const { logits } = await classifier.evaluate(masked);
      mask.forEach((m, p) => expected[p] += logits!.data[2] * m / (0.5 * 500));
    }
    const largest = Math.max(...expected.map(Math.abs));
    assertClose(map.data.subarray(0, H * W), expected, 1e-5 * largest);
    assertEvery(map.data.subarray(H * W), (x) => x === 0, "padding");
  });
  await classifier.dispose();
});

Deno.test("the sum of RISE's weighted masks equals that mask by mask, and a NaN reaches every pixel", () => {
  const rng = createRng(7);
  const masks = Array.from({ length: 40 }, (_, i) => drawRiseMask(rng, i, H, W));
  const weights = masks.map(() => rng.normal());
  const found = sumOfMasks(masks, weights, H, W);
  for (let p = 0; p < H * W; p++) {
    let expected = 0;
    masks.forEach((m, i) => expected += weights[i] * pixel(m, Math.floor(p / W), p % W));
    assertClose(found[p], expected, 1e-5);
  }
  weights[3] = NaN;
  assertEvery(sumOfMasks(masks, weights, H, W), Number.isNaN);
});

Deno.test("RISE draws a sample's masks once, however many classes are explained", async () => {
  const classifier = await makeClassifier({
    input: ["N", 1, 7, 7],
    layer: "a",
    net: (b) => {
      const a = put(b, "Conv", ["x", b.initializer(noise([3, 1, 3, 3], 2))], {}, "a");
      return b.op("Flatten", [b.op("GlobalAveragePool", [a])]);
    },
  });
  await withContext(classifier, noise([1, 1, 7, 7], 9), "logit", async (context) => {
    let drawn = 0;
    const counting: MethodContext = {
      ...context,
      rng(purpose, row) {
        drawn++;
        return context.rng(purpose, row);
      },
    };
    for (const k of [0, 1, 2]) await mapOf(rise, counting, [k, 0]);
    assert.equal(drawn, 1);
  });
  await classifier.dispose();
});
