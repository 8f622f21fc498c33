/**
 * SS-CAM.
 *
 * @module
 */

import type { Scores } from "../classifier/evaluate.ts";
import { meanScores, softmax, weighSamples } from "./_channel_weights.ts";
import { readActivation } from "./_layer.ts";
import { changedInputScores, enlarge, multiply, stretch } from "./_masked_inputs.ts";
import { perSample } from "./_per_sample.ts";
import { type Method, type MethodContext, targetUnsupported } from "./method.ts";

const settings = { samples: 35, sigma: 2 };

/**
 * Scores of the input under noisy channels, row i · C + k for sample i and channel k.
 *
 * @param addNoise adds the noise of sample i and channel k to a mask [H · W]
 */
export async function noisyMaskScores(
  context: MethodContext,
  row: number,
  samples: number,
  addNoise: (mask: Float32Array, i: number, k: number) => void,
): Promise<Scores> {
  const { channels, cells, height, width, activation } = await readActivation(context);
  const [, inputHeight, inputWidth] = context.classifier.inputShape;
  return await changedInputScores(context, row, samples * channels, (j, copy, values) => {
    const k = j % channels;
    const from = (row * channels + k) * cells;
    const map = stretch(activation.slice(from, from + cells));
    const mask = enlarge(map, [height, width], [inputHeight, inputWidth], "half-pixel");
    addNoise(mask, (j - k) / channels, k);
    multiply(copy, values, mask);
  });
}

const noisyScores = perSample((context, row) => {
  const rng = context.rng("ss-cam", row);
  return noisyMaskScores(context, row, settings.samples, (mask, i, k) => {
    const own = rng.split(i).split(k);
    for (let p = 0; p < mask.length; p++) mask[p] += settings.sigma * own.normal();
  });
});

/**
 * SS-CAM, smoothed Score-CAM: w = softmax over channels of the mean over samples of y_c(X ∘ (U(s(A_k)) + noise)) and map =
 * ReLU(Σ_k w_k A_k), with s the scaling to 0..1, U the enlargement to the input's size and Gaussian noise of σ = 2 in every pixel.
 *
 * The noise is the paper's first variant, on the mask rather than on the input. s comes before U, which is bilinear with half-pixel
 * centres, as in torch-cam. σ = 2 is twice the range of a mask: the paper's value.
 *
 * Costs 35 passes of the whole model for each channel. Needs no gradient.
 *
 * Source: Wang et al., "SS-CAM: Smoothed Score-CAM for Sharper Visual Feature Localization" (2020, arXiv 2006.14255).
 */
export const ssCam: Method = {
  name: "ss-cam",
  title: "SS-CAM",
  source: "Wang et al. 2020, arXiv 2006.14255",
  family: "perturbation",
  rectify: true,
  usesTarget: true,
  yieldsWeights: true,
  needsInput: true,
  random: true,
  settings,
  unsupported: targetUnsupported,
  compute: (context, classes) =>
    weighSamples(
      context,
      classes,
      async (row, k) => softmax(meanScores(context, row, k, await noisyScores(context, row))),
    ),
};
