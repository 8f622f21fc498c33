import assert from "node:assert/strict";
import { elementwiseGradCam } from "../../src/methods/elementwise_grad_cam.ts";
import {
  channelsOf,
  madeLayer,
  randomLayer,
  rawMapsOf,
  relativeToRange,
  sum,
} from "./made_layer.ts";

Deno.test("Element-wise Grad-CAM sums the positive products of gradient and activation", async () => {
  const layer = madeLayer([[[1, 2], [3, 0]], [[0, 1], [-2, 4]]], [[[1, -1], [2, 5]], [[7, 3], [
    1,
    0.5,
  ]]]);
  // 1 + 0, 0 (not −2) + 3, 6 + 0 (not −2), 0 + 2
  assert.deepEqual(await rawMapsOf(elementwiseGradCam, layer), [[1, 3, 6, 2]]);
});

Deno.test("Element-wise Grad-CAM equals its definition on random layers", async () => {
  const layer = randomLayer([2, 40, 5, 7], { rectified: false });
  const maps = await rawMapsOf(elementwiseGradCam, layer);
  for (const row of [0, 1]) {
    const activation = channelsOf(layer.activation, row),
      gradient = channelsOf(layer.gradient, row);
    const expected = activation[0].map((_, i) =>
      sum(activation.map((a, k) => Math.max(0, a[i] * gradient[k][i])))
    );
    const difference = relativeToRange(maps[row], expected);
    assert.ok(difference < 1e-6, String(difference));
  }
});

Deno.test("Element-wise Grad-CAM keeps a NaN visible", async () => {
  const [map] = await rawMapsOf(elementwiseGradCam, madeLayer([[[NaN, 1]]], [[[1, 1]]]));
  assert.deepEqual(map, [NaN, 1]);
});
