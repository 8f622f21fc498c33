/** Methods against small stored maps of PyTorch implementations, for a checkout without the full reference set. */

import { eigenCam } from "../../src/methods/eigen_cam.ts";
import { eigenGradCam } from "../../src/methods/eigen_grad_cam.ts";
import { elementwiseGradCam } from "../../src/methods/elementwise_grad_cam.ts";
import { fem } from "../../src/methods/fem.ts";
import { finerCam } from "../../src/methods/finer_cam.ts";
import { gradCam } from "../../src/methods/grad_cam.ts";
import { gradCamPlusPlus } from "../../src/methods/grad_cam_plus_plus.ts";
import { hiResCam } from "../../src/methods/hires_cam.ts";
import { kpcaCam } from "../../src/methods/kpca_cam.ts";
import { layerCam } from "../../src/methods/layer_cam.ts";
import { shapleyCam } from "../../src/methods/shapley_cam.ts";
import { xGradCam } from "../../src/methods/xgrad_cam.ts";
import { mapDifference, mapsOf, openMobile } from "./reference_nets.ts";
import { assertAtMost } from "../assert_that.ts";

const ON_GRADIENTS = [
  [gradCam, "gradcam"],
  [hiResCam, "hirescam"],
  [elementwiseGradCam, "gradcam_elementwise"],
  [layerCam, "layercam"],
  [xGradCam, "xgradcam"],
  [finerCam, "finercam"],
  [shapleyCam, "shapleycam"],
  [gradCamPlusPlus, "gradcampp"],
] as const;

Deno.test("methods on activations and gradients equal pytorch-grad-cam's on a small net", async (t) => {
  const net = await openMobile();
  try {
    for (const [method, file] of ON_GRADIENTS) {
      await t.step(method.name, async () => {
        for (const [target, kind] of [["logit", "logit"], ["probability", "prob"]] as const) {
          const expected = await net.read(`pgc/${file}_${kind}_raw.npy`);
          const difference = mapDifference(await mapsOf(net, method, target), expected);
          assertAtMost(difference, 2e-5, kind);
        }
      });
    }
  } finally {
    await net.classifier.dispose();
  }
});

Deno.test("methods on components equal pytorch-grad-cam's on a small net, up to sign where its own is arbitrary", async (t) => {
  const net = await openMobile();
  try {
    for (
      const [method, file, target, eitherSign] of [
        [eigenCam, "eigencam", "logit", true],
        [eigenGradCam, "eigengradcam_logit", "logit", true],
        [eigenGradCam, "eigengradcam_prob", "probability", true],
        [kpcaCam, "kpca_cam", "logit", false],
        [fem, "fem", "logit", false],
      ] as const
    ) {
      await t.step(file, async () => {
        const expected = await net.read(`pgc/${file}_raw.npy`);
        const maps = await mapsOf(net, method, target);
        const difference = mapDifference(maps, expected, eitherSign);
        assertAtMost(difference, 2e-5);
      });
    }
  } finally {
    await net.classifier.dispose();
  }
});
