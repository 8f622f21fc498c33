import assert from "node:assert/strict";
import { hiResCam } from "../../src/methods/hires_cam.ts";
import {
  assertDefinedBy,
  randomLayer,
  rawMapsOf,
  SMALL_LAYER,
  sumOfChannels,
} from "./made_layer.ts";
import { assertSome } from "../assert_that.ts";

Deno.test("HiResCAM sums gradient times activation over channels, cell by cell", async () => {
  // 1·1 + 0·7, 2·−1 + 1·3, 3·2 − 2·1, 0·5 + 4·0.5
  assert.deepEqual(await rawMapsOf(hiResCam, SMALL_LAYER), [[1, 1, 4, 2]]);
});

Deno.test("HiResCAM equals its definition on random layers", () =>
  assertDefinedBy(
    hiResCam,
    randomLayer([3, 40, 5, 7], { rectified: false }),
    (activation, gradient) => sumOfChannels(activation, (a, k, i) => a * gradient[k][i]),
  ));

Deno.test("HiResCAM leaves rows of padding alone", async () => {
  const layer = randomLayer([3, 4, 2, 2], { rectified: false });
  const [, second, third] = await rawMapsOf(hiResCam, layer, 2);
  assertSome(second!, (value) => value !== 0);
  assert.deepEqual(third, [0, 0, 0, 0]);
});
