/**
 * Methods on activations and gradients against pytorch-grad-cam 1.5.7: raw maps before the ReLU, and final maps at the size of the
 * input, on the three reference networks.
 */

import assert from "node:assert/strict";
import { floats, type Tensor } from "../../src/base/tensor.ts";
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
import type { Method } from "../../src/methods/mod.ts";
import { shapleyCam } from "../../src/methods/shapley_cam.ts";
import { xGradCam } from "../../src/methods/xgrad_cam.ts";
import { finalsOf, mapDifference, mapsOf, NETS, openReference } from "../methods/reference_nets.ts";
import { goldenTest } from "../shared_goldens.ts";

interface Case {
  method: Method;
  /** Start of the reference's files. */
  file: string;
  /**
   * Largest difference on alexish, where the target lies in front of a ReLU and a channel may sum to nearly 0: there the method
   * is ill-conditioned, and PyTorch's own float32 sums are off by as much from exact ones.
   */
  alexish?: number;
}

const CASES: readonly Case[] = [
  { method: gradCam, file: "gradcam" },
  { method: hiResCam, file: "hirescam" },
  { method: elementwiseGradCam, file: "gradcam_elementwise" },
  { method: layerCam, file: "layercam" },
  { method: xGradCam, file: "xgradcam" },
  { method: finerCam, file: "finercam" },
  { method: shapleyCam, file: "shapleycam" },
  { method: gradCamPlusPlus, file: "gradcampp", alexish: 5e-3 },
];

/** Methods without a logit and a probability map each, and those compared up to sign because the reference's is LAPACK's. */
const DECOMPOSED = [
  { method: eigenCam, files: ["eigencam"], eitherSign: true },
  { method: eigenGradCam, files: ["eigengradcam_logit", "eigengradcam_prob"], eitherSign: true },
  { method: kpcaCam, files: ["kpca_cam"], eitherSign: false },
  { method: fem, files: ["fem"], eitherSign: false },
];

/** Of the range of the expected map. */
const TOLERANCE = 1e-4;

for (const name of NETS) {
  goldenTest(`methods on gradients equal pytorch-grad-cam's on ${name}`, async (goldens) => {
    const net = await openReference(goldens, name);
    try {
      for (const { method, file, alexish } of CASES) {
        const tolerance = name === "alexish" && alexish || TOLERANCE;
        for (const [target, kind] of [["logit", "logit"], ["probability", "prob"]] as const) {
          const raw = await mapsOf(net, method, target);
          const expected = await net.read(`pgc/${file}_${kind}_raw.npy`);
          assertClose(`${method.name} ${kind}`, mapDifference(raw, expected), tolerance);
          if (kind === "prob") continue;
          const final = await finalsOf(net, method, raw);
          const finals = await net.read(`pgc/${file}_${kind}_map.npy`);
          assertClose(`${method.name} final`, mapDifference(final, finals), tolerance);
        }
      }
    } finally {
      await net.classifier.dispose();
    }
  });
}

for (const name of NETS) {
  goldenTest(`methods on components equal pytorch-grad-cam's on ${name}`, async (goldens) => {
    const net = await openReference(goldens, name);
    try {
      for (const { method, files, eitherSign } of DECOMPOSED) {
        for (const file of files) {
          const target = file.endsWith("prob") ? "probability" : "logit";
          const raw = await mapsOf(net, method, target);
          const expected = await net.read(`pgc/${file}_raw.npy`);
          const difference = mapDifference(raw, expected, eitherSign);
          assertClose(`${name} ${file}`, difference, TOLERANCE);
          if (target === "probability") continue;
          const signed = eitherSign ? withSignsOf(raw, expected) : raw;
          const final = await finalsOf(net, method, signed);
          const finals = await net.read(`pgc/${file}_map.npy`);
          assertClose(`${name} ${file} final`, mapDifference(final, finals), TOLERANCE);
        }
      }
    } finally {
      await net.classifier.dispose();
    }
  });
}

/** Each map with the sign that makes its inner product with the expected one positive. */
function withSignsOf(maps: Tensor, expected: Tensor): Tensor {
  const size = maps.shape[2]! * maps.shape[3]!;
  const data = maps.data.slice();
  for (let from = 0; from < expected.data.length; from += size) {
    let product = 0;
    for (let i = from; i < from + size; i++) product += data[i]! * expected.data[i]!;
    if (product < 0) { for (let i = from; i < from + size; i++) data[i]! *= -1; }
  }
  return floats(maps.shape, data);
}

function assertClose(what: string, difference: number, tolerance: number): void {
  if (Deno.env.has("SHOW")) console.log(what, difference.toExponential(1));
  assert.ok(difference <= tolerance, `${what}: ${difference.toExponential(1)} > ${tolerance}`);
}
