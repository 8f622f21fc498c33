import assert from "node:assert/strict";
import type { Tensor } from "../../src/base/tensor.ts";
import { scoreCam } from "../../src/methods/score_cam.ts";
import { mapDifference, mapsOf, openMobile } from "./reference_nets.ts";
import { miniXception, noiseInputs, withContext } from "./shipped.ts";
import { assertClose } from "../assert_close.ts";
import { assertAtMost, assertEvery } from "../assert_that.ts";

Deno.test("Score-CAM equals pytorch-grad-cam's on a small net", async () => {
  const net = await openMobile();
  for (const [target, kind] of [["logit", "logit"], ["probability", "prob"]] as const) {
    const score = await net.read(`pgc/scorecam_${kind}_raw.npy`);
    const found = mapDifference(await mapsOf(net, scoreCam, target), score);
    assertAtMost(found, 1e-5, `score-cam ${kind}`);
  }
  await net.classifier.dispose();
});

Deno.test("Score-CAM's weights are positive, sum to 1 and are 0 for padding", async () => {
  const classifier = await miniXception();
  const { channels } = classifier.layer;
  await withContext(classifier, noiseInputs(classifier, 3), "logit", async (context) => {
    const found = await scoreCam.compute(context, [0, 1, 2, 3]);
    assert.ok("weights" in found, Object.keys(found).join());
    const { data } = found.weights as Tensor;
    for (let row = 0; row < 4; row++) {
      const own = data.subarray(row * channels, (row + 1) * channels);
      const sum = own.reduce((a, b) => a + b, 0);
      assertClose(sum, row < 3 ? 1 : 0, 1e-6, `row ${row}`);
      assertEvery(own, (w) => row < 3 ? w > 0 : w === 0);
    }
  });
  await classifier.dispose();
});
