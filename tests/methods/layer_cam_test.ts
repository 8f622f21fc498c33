import assert from "node:assert/strict";
import { layerCam } from "../../src/methods/layer_cam.ts";
import {
  assertDefinedBy,
  randomLayer,
  rawMapsOf,
  SMALL_LAYER,
  sumOfChannels,
} from "./made_layer.ts";

Deno.test("LayerCAM weights each cell by its positive gradient", async () => {
  // 1 + 0, 0 (gradient −1) + 3, 6 − 2, 0 + 2
  assert.deepEqual(await rawMapsOf(layerCam, SMALL_LAYER), [[1, 3, 4, 2]]);
});

Deno.test("LayerCAM equals its definition on random layers", () =>
  assertDefinedBy(
    layerCam,
    randomLayer([2, 40, 5, 7], { rectified: false }),
    (activation, gradient) =>
      sumOfChannels(activation, (a, k, i) => a * Math.max(0, gradient[k][i])),
  ));
