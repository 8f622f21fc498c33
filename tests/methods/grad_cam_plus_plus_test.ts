import assert from "node:assert/strict";
import { gradCamPlusPlus } from "../../src/methods/grad_cam_plus_plus.ts";
import {
  assertDefinedBy,
  madeLayer,
  randomLayer,
  rawMapsOf,
  sum,
  sumOfChannels,
} from "./made_layer.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("Grad-CAM++ weights positive gradients by alpha", async () => {
  // Σ A = 4. g = 1: α = 1 / (2 + 4) = 1/6; g = 2: α = 4 / (8 + 32) = 1/10; negative and zero gradients have no part.
  const layer = madeLayer([[[1, 3], [0, 0]]], [[[1, 2], [-5, 0]]]);
  const weight = 1 / 6 + 2 / 10;
  const [map] = await rawMapsOf(gradCamPlusPlus, layer);
  assertClose(map!, [weight, 3 * weight, 0, 0], { ofRange: 1e-6 });
});

Deno.test("Grad-CAM++ equals its definition on random layers", () =>
  assertDefinedBy(
    gradCamPlusPlus,
    randomLayer([2, 40, 5, 7], { rectified: true }),
    (activation, gradient) => {
      const weights = gradient.map((channel, k) =>
        sum(
          channel.map((g) =>
            g === 0
              ? 0
              : g ** 2 / (2 * g ** 2 + sum(activation[k]) * g ** 3 + 1e-6) * Math.max(0, g)
          ),
        )
      );
      return sumOfChannels(activation, (a, k) => a * weights[k]);
    },
  ));

Deno.test("Grad-CAM++ without any positive gradient is 0", async () => {
  const layer = madeLayer([[[1, 3]]], [[[-1, 0]]]);
  assert.deepEqual(await rawMapsOf(gradCamPlusPlus, layer), [[0, 0]]);
});
