import assert from "node:assert/strict";
import { floats, rows, type Tensor } from "../../src/base/tensor.ts";
import { rawMaps } from "../../src/kernels/box_scores.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { meanScores, softmax } from "../../src/methods/_channel_weights.ts";
import { noisyMaskScores, ssCam } from "../../src/methods/ss_cam.ts";
import { mapDifference, openMobile, withImages } from "./reference_nets.ts";
import { miniXception, noiseInputs, withContext } from "./shipped.ts";
import { assertAtMost } from "../assert_that.ts";

Deno.test("SS-CAM without noise equals torch-cam's on a small net", async () => {
  const net = await openMobile();
  const { channels, height, width } = net.classifier.layer;
  for (const [target, kind] of [["logit", "logit"], ["probability", "prob"]] as const) {
    const expected = await net.read(`torchcam/sscam_std0_${kind}_raw.npy`);
    await withImages(net, target, async (context) => {
      const maps: number[] = [];
      for (let image = 0; image < 2; image++) {
        const scores = await noisyMaskScores(context, image, 1, () => {});
        const activation = rows(context.forward.activation as Tensor, image, image + 1).data;
        for (const k of net.classes[image]) {
          const weights = Float32Array.from(softmax(meanScores(context, image, k, scores)));
          const from = { activation, channels, weights };
          const batch = { maps: 1, height, width, rectify: true, from };
          maps.push(...await rawMaps(await createCompute("cpu"), batch));
        }
      }
      const difference = mapDifference(floats(expected.shape, maps), expected);
      assertAtMost(difference, 1e-5, kind);
    });
  }
  await net.classifier.dispose();
});

Deno.test("SS-CAM's noise depends on the sample, not on its place", async () => {
  const classifier = await miniXception();
  const { channels } = classifier.layer;
  const inputs = noiseInputs(classifier, 2);
  const weights = async (values: Tensor, keys: string[]) =>
    await withContext(classifier, values, "logit", async (context) => {
      const found = await ssCam.compute(context, [2, 2, 2, 2]);
      assert.ok("weights" in found, Object.keys(found).join());
      return (found.weights as Tensor).data;
    }, keys);
  const both = await weights(inputs, ["a", "b"]);
  const alone = await weights(rows(inputs, 1, 2), ["b"]);
  const other = await weights(rows(inputs, 1, 2), ["c"]);
  assert.deepEqual([...alone.subarray(0, channels)], [...both.subarray(channels, 2 * channels)]);
  assert.notDeepEqual([...alone], [...other]);
  await classifier.dispose();
});
