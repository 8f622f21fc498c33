import assert from "node:assert/strict";
import { eigenCam } from "../../src/methods/eigen_cam.ts";
import { madeLayer, randomLayer, rawMapsOf } from "./made_layer.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("EigenCAM of channels that are multiples of one pattern is that pattern, centred", async () => {
  // Rank 1 after centring: pattern (−2, 0, 2, 0) times (1, 2, −2), of length 3. The mean channel rises with the pattern.
  const channels = [1, 2, -2].map((factor, k) =>
    [[-2, 0], [2, 0]].map((row) => row.map((v) => factor * v + k))
  );
  const [map] = await rawMapsOf(eigenCam, madeLayer(channels));
  assertClose(map!, [-6, 0, 6, 0], { ofRange: 1e-6 });
});

Deno.test("EigenCAM is bright where the layer is active, and turns with the layer's sign", async () => {
  const layer = randomLayer([2, 20, 4, 5], { rectified: true });
  const negated = {
    ...layer,
    activation: { ...layer.activation, data: layer.activation.data.map((v) => -v) },
  };
  const maps = await rawMapsOf(eigenCam, layer), others = await rawMapsOf(eigenCam, negated);
  maps.forEach((map, row) => assertClose(others[row].map((v) => -v), map, { ofRange: 1e-6 }));
});

Deno.test("EigenCAM leaves rows of padding alone", async () => {
  const maps = await rawMapsOf(eigenCam, randomLayer([2, 3, 2, 2], { rectified: true }), 1);
  assert.deepEqual(maps[1], [0, 0, 0, 0]);
});
