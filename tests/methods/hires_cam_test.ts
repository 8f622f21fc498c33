import assert from "node:assert/strict";
import { hiResCam } from "../../src/methods/hires_cam.ts";
import {
  channelsOf,
  madeLayer,
  randomLayer,
  rawMapsOf,
  relativeToRange,
  sum,
} from "./made_layer.ts";
import { assertSome } from "../assert_that.ts";

Deno.test("HiResCAM sums gradient times activation over channels, cell by cell", async () => {
  const layer = madeLayer([[[1, 2], [3, 0]], [[0, 1], [-2, 4]]], [[[1, -1], [2, 5]], [[7, 3], [
    1,
    0.5,
  ]]]);
  // 1·1 + 0·7, 2·−1 + 1·3, 3·2 − 2·1, 0·5 + 4·0.5
  assert.deepEqual(await rawMapsOf(hiResCam, layer), [[1, 1, 4, 2]]);
});

Deno.test("HiResCAM equals its definition on random layers", async () => {
  const layer = randomLayer([3, 40, 5, 7], { rectified: false });
  const maps = await rawMapsOf(hiResCam, layer);
  for (const row of [0, 1, 2]) {
    const activation = channelsOf(layer.activation, row),
      gradient = channelsOf(layer.gradient, row);
    const expected = activation[0].map((_, i) =>
      sum(activation.map((a, k) => a[i] * gradient[k][i]))
    );
    const difference = relativeToRange(maps[row], expected);
    assert.ok(difference < 1e-6, String(difference));
  }
});

Deno.test("HiResCAM leaves rows of padding alone", async () => {
  const layer = randomLayer([3, 4, 2, 2], { rectified: false });
  const [, second, third] = await rawMapsOf(hiResCam, layer, 2);
  assertSome(second!, (value) => value !== 0);
  assert.deepEqual(third, [0, 0, 0, 0]);
});
