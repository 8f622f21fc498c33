import assert from "node:assert/strict";
import { readFloats } from "../../src/classifier/values.ts";
import { isCam } from "../../src/methods/is_cam.ts";
import { mapDifference, mapsOf, openMobile } from "./reference_nets.ts";
import { miniXception, noiseInputs, withContext } from "./shipped.ts";
import { assertAtMost, assertEvery } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("IS-CAM equals torch-cam's on a small net", async () => {
  const net = await openMobile();
  for (const [target, kind] of [["logit", "logit"], ["probability", "prob"]] as const) {
    const expected = await net.read(`torchcam/iscam_${kind}_raw.npy`);
    const maps = await mapsOf(net, isCam, target);
    // torch-cam's are after the ReLU.
    const rectified = { ...maps, data: maps.data.map((x) => Math.max(x, 0)) };
    const difference = mapDifference(rectified, expected);
    assertAtMost(difference, 1e-5, kind);
  }
  await net.classifier.dispose();
});

Deno.test("IS-CAM's weights are positive and sum to 1 for each sample", async () => {
  const classifier = await miniXception();
  await withContext(classifier, noiseInputs(classifier, 2), "logit", async (context) => {
    const attribution = await isCam.compute(context, [3, 1, 0, 0]);
    assert.ok("weights" in attribution, Object.keys(attribution).join());
    const { data } = await readFloats(attribution.weights);
    for (let row = 0; row < 2; row++) {
      const weights = data.slice(row * 7, (row + 1) * 7);
      assertEvery(weights, (weight) => weight > 0);
      assertClose(weights.reduce((a, b) => a + b), 1, 1e-6);
    }
  });
  await classifier.dispose();
});
