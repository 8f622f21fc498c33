import assert from "node:assert/strict";
import { layerCam } from "../../src/methods/layer_cam.ts";
import {
  channelsOf,
  madeLayer,
  randomLayer,
  rawMapsOf,
  relativeToRange,
  sum,
} from "./made_layer.ts";

Deno.test("LayerCAM weights each cell by its positive gradient", async () => {
  const layer = madeLayer([[[1, 2], [3, 0]], [[0, 1], [-2, 4]]], [[[1, -1], [2, 5]], [[7, 3], [
    1,
    0.5,
  ]]]);
  // 1 + 0, 0 (gradient −1) + 3, 6 − 2, 0 + 2
  assert.deepEqual(await rawMapsOf(layerCam, layer), [[1, 3, 4, 2]]);
});

Deno.test("LayerCAM equals its definition on random layers", async () => {
  const layer = randomLayer([2, 40, 5, 7], { rectified: false });
  const maps = await rawMapsOf(layerCam, layer);
  for (const row of [0, 1]) {
    const activation = channelsOf(layer.activation, row),
      gradient = channelsOf(layer.gradient, row);
    const expected = activation[0].map((_, i) =>
      sum(activation.map((a, k) => a[i] * Math.max(0, gradient[k][i])))
    );
    const difference = relativeToRange(maps[row], expected);
    assert.ok(difference < 1e-6, String(difference));
  }
});
