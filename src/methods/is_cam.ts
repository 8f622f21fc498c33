/**
 * IS-CAM.
 *
 * @module
 */

import { meanScores, softmax, weighSamples } from "./_channel_weights.ts";
import { readActivation } from "./_layer.ts";
import { changedInputScores, enlarge, multiply, stretch } from "./_masked_inputs.ts";
import { perSample } from "./_per_sample.ts";
import { type Method, targetUnsupported } from "./method.ts";

const settings = { steps: 10 };

/** Scores of the input under growing channels, row i · C + k for step i and channel k. */
const growingScores = perSample(async (context, row) => {
  const { steps } = settings;
  const { channels, cells, height, width, activation } = await readActivation(context);
  const [, inputHeight, inputWidth] = context.classifier.inputShape;
  return await changedInputScores(context, row, steps * channels, (j, copy, values) => {
    const k = j % channels;
    const step = (j - k) / channels + 1;
    const from = (row * channels + k) * cells;
    const map = stretch(activation.slice(from, from + cells));
    const mask = enlarge(map, [height, width], [inputHeight, inputWidth], "half-pixel");
    const factor = step * (step + 1) / (2 * steps);
    for (let p = 0; p < mask.length; p++) mask[p] *= factor;
    multiply(copy, values, mask);
  });
});

/**
 * IS-CAM, integrated Score-CAM: w = softmax over channels of (1/N) Σ_n y_c(X ∘ M_n,k) with M_n,k = Σ_{i ≤ n} (i/N) · U(s(A_k))
 * and N = 10; map = ReLU(Σ_k w_k A_k). s scales to 0..1, U enlarges to the input's size.
 *
 * The masks add up as in torch-cam, so that the last are 5.5 times a channel: what they let through is brighter than the input. A mean
 * over i/N alone would stay inside 0..1; it gives other maps. s comes before U, which is bilinear with half-pixel centres.
 *
 * Costs 10 passes of the whole model for each channel. Needs no gradient.
 *
 * Source: Naidu et al., "IS-CAM: Integrated Score-CAM for axiomatic-based explanations" (2020, arXiv 2010.03023), as torch-cam
 * implements it.
 */
export const isCam: Method = {
  name: "is-cam",
  title: "IS-CAM",
  source: "Naidu et al. 2020, arXiv 2010.03023, as in torch-cam",
  family: "perturbation",
  rectify: true,
  usesTarget: true,
  yieldsWeights: true,
  needsInput: true,
  settings,
  unsupported: targetUnsupported,
  compute: (context, classes) =>
    weighSamples(
      context,
      classes,
      async (row, k) => softmax(meanScores(context, row, k, await growingScores(context, row))),
    ),
};
