/** Modifiers against pytorch-grad-cam 1.5.7 on the three reference networks: final maps of Grad-CAM of the first two images. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { floats } from "../../src/base/tensor.ts";
import { openClassifier } from "../../src/classifier/open.ts";
import { findClassifier } from "../../src/classifier/source.ts";
import { gradCam } from "../../src/methods/grad_cam.ts";
import { augSmooth, eigenSmooth, fusedLayers } from "../../src/methods/mod.ts";
import {
  closerMaps,
  finalsOf,
  mapDifference,
  mapsOf,
  NETS,
  openReference,
} from "../methods/reference_nets.ts";
import { goldenTest } from "../shared_goldens.ts";
import { assertAtMost } from "../assert_that.ts";

/** Of the range of the expected map. */
const TOLERANCE = 1e-4;
/** A singular vector's error grows with the inverse of the gap to the next singular value. */
const PRINCIPAL_TOLERANCE = 1e-3;

/** The layers besides the target that are fused with it: outputs of conv3 and conv4, layer2 and layer3, b2 and b3. */
const LAYERS = {
  alexish: ["/net/conv3/Conv_output_0", "/net/conv4/Conv_output_0"],
  resish: ["/layer2/relu2/Relu_output_0", "/layer3/relu2/Relu_output_0"],
  mobile: ["/b2/Add_output_0", "/b3/pw2/Conv_output_0"],
};

for (const name of NETS) {
  goldenTest(`modified Grad-CAM equals pytorch-grad-cam's on ${name}`, async (goldens) => {
    const net = await openReference(goldens, name);
    const source = await findClassifier(
      fileURLToPath(new URL(`cam/${name}/${name}.onnx`, goldens)),
    );
    const others = await Promise.all(
      LAYERS[name].map((layer) =>
        openClassifier(source, { backend: "native", batch: net.classifier.batch, layer })
      ),
    );
    try {
      for (const [target, kind] of [["logit", "logit"], ["probability", "prob"]] as const) {
        const augmented = augSmooth.apply(gradCam);
        const raw = await mapsOf(net, augmented, target);
        const expected = await net.read(`pgc/gradcam_${kind}_aug_smooth_map.npy`);
        const final = await finalsOf(net, augmented, raw);
        assert.ok(mapDifference(final, expected) <= TOLERANCE, `${name} ${kind} augmented`);
        const smooth = eigenSmooth.apply(gradCam);
        const projected = await mapsOf(net, smooth, target);
        const opposite = floats(projected.shape, projected.data.map((value) => -value));
        const wanted = await net.read(`pgc/gradcam_${kind}_eigen_smooth_map.npy`);
        const closer = closerMaps(
          wanted,
          await finalsOf(net, smooth, projected),
          await finalsOf(net, smooth, opposite),
        );
        assert.ok(
          mapDifference(closer, wanted) <= PRINCIPAL_TOLERANCE,
          `${name} ${kind} principal`,
        );
      }
      const fused = fusedLayers(others).apply(gradCam);
      const final = await finalsOf(net, fused, await mapsOf(net, fused, "logit"));
      const expected = await net.read("pgc/gradcam_logit_multilayer_map.npy");
      const difference = mapDifference(final, expected);
      assertAtMost(difference, TOLERANCE, `${name} fused`);
    } finally {
      for (const classifier of [net.classifier, ...others]) await classifier.dispose();
    }
  });
}
