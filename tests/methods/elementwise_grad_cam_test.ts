import assert from "node:assert/strict";
import { elementwiseGradCam } from "../../src/methods/elementwise_grad_cam.ts";
import {
  assertDefinedBy,
  madeLayer,
  randomLayer,
  rawMapsOf,
  SMALL_LAYER,
  sumOfChannels,
} from "./made_layer.ts";

Deno.test("Element-wise Grad-CAM sums the positive products of gradient and activation", async () => {
  // 1 + 0, 0 (not −2) + 3, 6 + 0 (not −2), 0 + 2
  assert.deepEqual(await rawMapsOf(elementwiseGradCam, SMALL_LAYER), [[1, 3, 6, 2]]);
});

Deno.test("Element-wise Grad-CAM equals its definition on random layers", () =>
  assertDefinedBy(
    elementwiseGradCam,
    randomLayer([2, 40, 5, 7], { rectified: false }),
    (activation, gradient) =>
      sumOfChannels(activation, (a, k, i) => Math.max(0, a * gradient[k][i])),
  ));

Deno.test("Element-wise Grad-CAM keeps a NaN visible", async () => {
  const [map] = await rawMapsOf(elementwiseGradCam, madeLayer([[[NaN, 1]]], [[[1, 1]]]));
  assert.deepEqual(map, [NaN, 1]);
});
