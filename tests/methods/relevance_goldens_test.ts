/** Methods that hand relevance back, and Integrated Gradients, against small stored values, for a checkout without the full reference set. */

import { floats } from "../../src/base/tensor.ts";
import { gaussLegendre, integrateGradients } from "./quadrature.ts";
import { liftCam } from "../../src/methods/lift_cam.ts";
import { lrpCam } from "../../src/methods/lrp_cam.ts";
import { mapDifference, mapsOf, openMobile, withImages } from "./reference_nets.ts";
import { bothClasses, difference } from "./reference_values.ts";
import { assertAtMost } from "../assert_that.ts";

Deno.test("LIFT-CAM and LRP-CAM equal their definitions on a small net", async () => {
  const net = await openMobile();
  for (const [method, file] of [[liftCam, "liftcam"], [lrpCam, "lrpcam"]] as const) {
    const raw = await mapsOf(net, method, "logit");
    const rectified = floats(raw.shape, raw.data.map((value) => Math.max(value, 0)));
    const found = mapDifference(rectified, await net.read(`captum/${file}_ref_raw.npy`));
    assertAtMost(found, 1e-5, method.name);
  }
  await net.classifier.dispose();
});

Deno.test("Integrated Gradients by Gauss–Legendre points equal captum's on a small net", async () => {
  const net = await openMobile();
  const expected = await net.read("captum/ig_gausslegendre_32_logit.npy");
  await withImages(net, "logit", async (context) => {
    const found = await bothClasses(
      net,
      context,
      (c, k) => integrateGradients(c, k, gaussLegendre(32)),
    );
    assertAtMost(difference(found, expected), 1e-5);
  });
  await net.classifier.dispose();
});
