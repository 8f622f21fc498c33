import { xGradCam } from "../../src/methods/xgrad_cam.ts";
import { channelsOf, madeLayer, randomLayer, rawMapsOf, sum } from "./made_layer.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("XGrad-CAM averages the gradient by activation", async () => {
  // Weights (1·4 + 3·8) / 4 = 7 and (2·1 + 2·−3) / 4 = −1.
  const layer = madeLayer([[[1, 3]], [[2, 2]]], [[[4, 8]], [[1, -3]]]);
  const [map] = await rawMapsOf(xGradCam, layer);
  assertClose(map!, [7 - 2, 21 - 2], { ofRange: 1e-6 });
});

Deno.test("XGrad-CAM conserves: the map sums to Σ gradient × activation", async () => {
  const layer = randomLayer([3, 30, 4, 6], { rectified: true });
  const maps = await rawMapsOf(xGradCam, layer);
  for (const row of [0, 1, 2]) {
    const activation = channelsOf(layer.activation, row).flat();
    const gradient = channelsOf(layer.gradient, row).flat();
    const expected = sum(activation.map((a, i) => a * gradient[i]));
    const scale = sum(activation.map((a, i) => Math.abs(a * gradient[i])));
    assertClose(sum(maps[row]), expected, 1e-6 * scale);
  }
});

Deno.test("XGrad-CAM gives a channel that is 0 everywhere no part", async () => {
  const layer = madeLayer([[[0, 0]], [[1, 2]]], [[[5, 5]], [[1, 1]]]);
  const [map] = await rawMapsOf(xGradCam, layer);
  assertClose(map!, [1, 2], { ofRange: 1e-6 });
});
