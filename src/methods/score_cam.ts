/**
 * Score-CAM.
 *
 * @module
 */

import { scoresOf, softmax, weighSamples } from "./_channel_weights.ts";
import { readActivation } from "./_layer.ts";
import { changedInputScores, enlarge, multiply, stretch } from "./_masked_inputs.ts";
import { perSample } from "./_per_sample.ts";
import { type Method, targetUnsupported } from "./method.ts";

/** Scores of the input under each channel as a mask. */
const channelScores = perSample(async (context, row) => {
  const { channels, cells, height, width, activation } = await readActivation(context);
  const [, inputHeight, inputWidth] = context.classifier.inputShape;
  return await changedInputScores(context, row, channels, (k, copy, values) => {
    const from = (row * channels + k) * cells;
    const map = activation.subarray(from, from + cells);
    const mask = enlarge(map, [height, width], [inputHeight, inputWidth], "aligned");
    multiply(copy, values, stretch(mask));
  });
});

/**
 * Score-CAM: w = softmax over channels of y_c(X ∘ s(U(A_k))) and map = ReLU(Σ_k w_k A_k), with U the enlargement to the input's
 * size and s the scaling to 0..1.
 *
 * The paper's increase of confidence takes the score of a baseline off; the softmax does not see it. U is bilinear with aligned
 * corners and s comes after U, as in pytorch-grad-cam; the paper leaves U open. Masks multiply the input as the model sees it, so
 * what they remove becomes 0 there, not black.
 *
 * Costs one pass of the whole model for each channel. Needs no gradient.
 *
 * Source: Wang et al., "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks" (CVPR Workshops 2020, arXiv
 * 1910.01279), algorithm 1.
 */
export const scoreCam: Method = {
  name: "score-cam",
  title: "Score-CAM",
  source: "Wang et al. 2020, arXiv 1910.01279, algorithm 1",
  family: "perturbation",
  rectify: true,
  usesTarget: true,
  yieldsWeights: true,
  needsInput: true,
  unsupported: targetUnsupported,
  compute: (context, classes) =>
    weighSamples(
      context,
      classes,
      async (row, k) => softmax(scoresOf(context, row, k, await channelScores(context, row))),
    ),
};
