/**
 * Ablation-CAM.
 *
 * @module
 */

import { maskedScores } from "../classifier/channel_masks.ts";
import { scoresOf, weighSamples } from "./_channel_weights.ts";
import { perSample } from "./_per_sample.ts";
import { type Method, targetUnsupported } from "./method.ts";

/** Scores of the whole layer (row 0) and without channel k (row k + 1). */
const ablations = perSample(({ classifier, forward }, row) => {
  const { channels } = classifier.layer;
  const masks = new Uint8Array((channels + 1) * channels).fill(1);
  for (let k = 0; k < channels; k++) masks[(k + 1) * channels + k] = 0;
  return maskedScores(classifier, forward, row, masks);
});

/**
 * Ablation-CAM: w_k = (y_c − y_c,k) / y_c and map = ReLU(Σ_k w_k A_k), with y_c,k the score after channel k was set to 0.
 *
 * Needs no gradient. With a pooling + linear head and the logit y_c · w_k = W_ck · mean(A_k): Grad-CAM times the mean.
 * A negative y_c (a logit can be) turns all signs, so that the map shows what speaks against the class; target `probability`
 * is never negative. Where y_c = 0 the weights are not defined, and neither where y_c is so near to 0 that a weight is beyond
 * float32, or where a score is not finite: such a weight is NaN, and so the map.
 *
 * All ablations of a sample run at once, by sums of contributions where the head allows (`maskedScores`).
 *
 * Source: Desai & Ramaswamy, "Ablation-CAM: Visual Explanations for Deep Convolutional Network via Gradient-free
 * Localization" (WACV 2020), section 3.
 *
 * Departs from pytorch-grad-cam, which sets a channel to 0 only where the smallest activation is 0, and else below −1e7: with
 * activations that can be negative (SiLU) its scores have nothing to do with the absence of a channel.
 */
export const ablationCam: Method = {
  name: "ablation-cam",
  title: "Ablation-CAM",
  source: "Desai & Ramaswamy 2020, WACV, section 3",
  family: "perturbation",
  rectify: true,
  usesTarget: true,
  usesMasks: true,
  yieldsWeights: true,
  unsupported: targetUnsupported,
  compute: (context, classes) =>
    weighSamples(context, classes, async (row, k) => {
      const [whole, ...without] = scoresOf(context, row, k, await ablations(context, row));
      return without.map((score) => definedWeight((whole! - score) / whole!));
    }),
};

/** A weight, or NaN where float32 does not hold it: an infinite one would be 0 after the ReLU if it is negative. */
function definedWeight(weight: number): number {
  return Number.isFinite(Math.fround(weight)) ? weight : NaN;
}
