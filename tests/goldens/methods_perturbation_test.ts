/** Perturbation methods against pytorch-grad-cam, torchcam and captum, with their masks and noise where they drew some. */

import assert from "node:assert/strict";
import { readNpy } from "../../src/base/npy.ts";
import { floats, rows, type Tensor } from "../../src/base/tensor.ts";
import { maskedScores, maskWay } from "../../src/classifier/channel_masks.ts";
import { ablationCam } from "../../src/methods/ablation_cam.ts";
import { shapCoefficients } from "../../src/methods/kernel_shap_cam.ts";
import { isCam } from "../../src/methods/is_cam.ts";
import { meanScores, softmax } from "../../src/methods/_channel_weights.ts";
import { scoreCam } from "../../src/methods/score_cam.ts";
import { noisyMaskScores } from "../../src/methods/ss_cam.ts";
import { limeCoefficients, limeSimilarities } from "../../src/methods/lime_cam.ts";
import {
  finalsOf,
  mapDifference,
  mapsOf,
  NETS,
  openReference,
  type ReferenceNet,
  withImages,
} from "../methods/reference_nets.ts";
import { goldenTest } from "../shared_goldens.ts";
import { assertAtMost } from "../assert_that.ts";

const SCORES = [["logit", "logit"], ["probability", "prob"]] as const;

async function eachNet(goldens: URL, run: (net: ReferenceNet) => Promise<void>) {
  for (const name of NETS) {
    const net = await openReference(goldens, name);
    try {
      await run(net);
    } finally {
      await net.classifier.dispose();
    }
  }
}

function within(what: string, difference: number, most: number) {
  assertAtMost(difference, most, what);
}

goldenTest(
  "Ablation-CAM equals pytorch-grad-cam's where that sets channels to 0",
  async (goldens) => {
    await eachNet(goldens, async (net) => {
      assert.equal(maskWay(net.classifier).kind, "sums", net.name);
      for (const [target, kind] of SCORES) {
        const maps = await mapsOf(net, ablationCam, target);
        const expected = await net.read(`pgc/ablationcam_zero_${kind}_raw.npy`);
        within(`${net.name} ${kind}`, mapDifference(maps, expected), 5e-5);
        const final = await finalsOf(net, ablationCam, maps);
        // Of mobile, whose activations can be negative, pytorch-grad-cam's own maps are of something else.
        if (net.name === "mobile") continue;
        const finals = await net.read(`pgc/ablationcam_${kind}_map.npy`);
        within(`${net.name} ${kind} final`, mapDifference(final, finals), 5e-5);
      }
    });
  },
);

/** Σ_k w_k A_k of a sample, with or without the ReLU, [1, 1, h, w]. */
function mapOf(weights: ArrayLike<number>, activation: Tensor, rectify: boolean): Tensor {
  const [, channels, height, width] = activation.shape as [number, number, number, number];
  const cells = height * width;
  const map: number[] = new Array(cells).fill(0);
  for (let k = 0; k < channels; k++) {
    for (let i = 0; i < cells; i++) map[i] += weights[k] * activation.data[k * cells + i];
  }
  return floats([1, 1, height, width], rectify ? map.map((x) => Math.max(x, 0)) : map);
}

/** The rows of one image and class of a reference [images, 2, …]. */
async function references(goldens: URL, net: ReferenceNet, file: string) {
  const value = readNpy(await Deno.readFile(new URL(`cam/${net.name}/captum/${file}`, goldens)));
  const size = value.data.length / (net.classes.length * 2);
  return (image: number, slot: number) => {
    const from = (2 * image + slot) * size;
    return Float64Array.from(value.data.subarray(from, from + size) as ArrayLike<number>, Number);
  };
}

function relative(found: Float64Array, expected: Float64Array): number {
  const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return found.reduce((most, x, k) => Math.max(most, Math.abs(x - expected[k])), 0) / largest;
}

goldenTest(
  "LIME-CAM and KernelSHAP-CAM on captum's masks equal converged solutions",
  async (goldens) => {
    await eachNet(goldens, async (net) => {
      const { channels, height, width } = net.classifier.layer;
      const names = ["kshap_n256", "lime_n256", `lime_thesis_n${channels}`];
      for (const name of names) {
        const read = (file: string) => references(goldens, net, `${name}_${file}.npy`);
        const [masks, y, weights, coefficients] = await Promise.all(
          [read("masks"), read("y"), read("w"), read("coef_f64")],
        );
        const raw = await read("raw");
        await withImages(net, "logit", async ({ classifier, forward }) => {
          for (let image = 0; image < net.classes.length; image++) {
            const activation = rows(forward.activation as Tensor, image, image + 1);
            const cells = height * width;
            const energies = new Float64Array(channels);
            activation.data.forEach((x, i) => energies[Math.floor(i / cells)] += x * x);
            for (let slot = 0; slot < 2; slot++) {
              const what = `${net.name} ${name} image ${image} slot ${slot}`;
              const k = net.classes[image][slot];
              const sampled = { masks: Uint8Array.from(masks(image, slot)), channels };
              const { logits } = await maskedScores(classifier, forward, image, sampled.masks);
              const [count, classes] = logits!.shape as [number, number];
              const scores = Float64Array.from(
                { length: count },
                (_, i) => logits!.data[i * classes + k],
              );
              within(`${what} scores`, relative(scores, y(image, slot)), 1e-5);
              const isLime = name.startsWith("lime");
              const similarities = limeSimilarities(sampled, energies);
              if (isLime) {
                within(`${what} weights`, relative(similarities, weights(image, slot)), 1e-5);
              }
              const found = isLime
                ? limeCoefficients(sampled, scores, similarities)
                : shapCoefficients(sampled, scores);
              const expected = coefficients(image, slot);
              within(`${what} coefficients`, relative(found, expected), 1e-4);
              const map = mapOf(found, activation, false);
              within(`${what} map`, mapDifference(map, mapOf(expected, activation, false)), 1e-4);
              // captum stops LIME early and solves in float32.
              const own = floats([1, 1, height, width], Float32Array.from(raw(image, slot)));
              const rectified = mapOf(found, activation, true);
              if (
                own.data.some((x) => x > 0)
              ) {
                within(`${what} captum's map`, mapDifference(rectified, own), 5e-3);
              }
            }
          }
        });
      }
    });
  },
);

goldenTest("Score-CAM equals pytorch-grad-cam's", async (goldens) => {
  await eachNet(goldens, async (net) => {
    for (const [target, kind] of SCORES) {
      const maps = await mapsOf(net, scoreCam, target);
      const expected = await net.read(`pgc/scorecam_${kind}_raw.npy`);
      within(`${net.name} ${kind}`, mapDifference(maps, expected), 5e-5);
      const final = await finalsOf(net, scoreCam, maps);
      const finals = await net.read(`pgc/scorecam_${kind}_map.npy`);
      within(`${net.name} ${kind} final`, mapDifference(final, finals), 5e-5);
    }
  });
});

function rectified(maps: Tensor): Tensor {
  return floats(maps.shape, maps.data.map((x) => Math.max(x, 0)));
}

goldenTest("IS-CAM equals torch-cam's", async (goldens) => {
  await eachNet(goldens, async (net) => {
    for (const [target, kind] of SCORES) {
      const maps = rectified(await mapsOf(net, isCam, target));
      const expected = await net.read(`torchcam/iscam_${kind}_raw.npy`);
      within(`${net.name} ${kind}`, mapDifference(maps, expected), 5e-5);
    }
  });
});

goldenTest("SS-CAM equals torch-cam's, without noise and with its noise", async (goldens) => {
  await eachNet(goldens, async (net) => {
    const { channels, height, width } = net.classifier.layer;
    const url = new URL(`cam/${net.name}/torchcam/sscam_noise.npy`, goldens);
    const noise = readNpy(await Deno.readFile(url));
    assert.equal(noise.type, "float16");
    const halves = noise.data as Uint16Array;
    const values = new Float16Array(halves.buffer, halves.byteOffset, halves.length);
    for (const [target, kind] of SCORES) {
      const still = await net.read(`torchcam/sscam_std0_${kind}_raw.npy`);
      const noisy = await net.read(`torchcam/sscam_${kind}_raw.npy`);
      await withImages(net, target, async (context) => {
        const compare = async (image: number, expected: Tensor, samples: number) => {
          const scores = await noisyMaskScores(context, image, samples, (mask, i, k) => {
            if (samples === 1) return;
            const from = (i * channels + k) * mask.length;
            for (let p = 0; p < mask.length; p++) mask[p] += values[from + p];
          });
          const activation = rows(context.forward.activation as Tensor, image, image + 1);
          for (let slot = 0; slot < 2; slot++) {
            const k = net.classes[image][slot];
            const weights = softmax(meanScores(context, image, k, scores));
            const from = (samples === 1 ? 2 * image + slot : slot) * height * width;
            const own = expected.data.slice(from, from + height * width);
            const difference = mapDifference(
              mapOf(weights, activation, true),
              floats([1, 1, height, width], own),
            );
            within(`${net.name} ${kind} ${samples} samples, image ${image}`, difference, 5e-5);
          }
        };
        for (let image = 0; image < net.classes.length; image++) await compare(image, still, 1);
        await compare(0, noisy, 2);
      });
    }
  });
});
