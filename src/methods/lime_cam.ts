/**
 * LIME-CAM.
 *
 * @module
 */

import type { Rng } from "../base/rng.ts";
import { maskedScores } from "../classifier/channel_masks.ts";
import type { Scores } from "../classifier/evaluate.ts";
import { coOccurrence } from "../algebra/co_occurrence.ts";
import { lasso } from "../algebra/lasso.ts";
import { scoresOf, weighSamples } from "./_channel_weights.ts";
import { readActivation } from "./_layer.ts";
import { perSample } from "./_per_sample.ts";
import { type Method, targetUnsupported } from "./method.ts";

/** Masks of a sample, M rows of C channels: 1 keeps a channel. */
export interface ChannelMasks {
  readonly masks: Uint8Array;
  readonly channels: number;
}

const settings = { samples: 256, kernelWidth: 1, penalty: 0.01 };

/** Masks that keep each channel with probability ½. */
export function drawLimeMasks(rng: Rng, samples: number, channels: number): ChannelMasks {
  const masks = new Uint8Array(samples * channels);
  for (let i = 0, bits = 0; i < masks.length; i++, bits >>>= 1) {
    if (i % 32 === 0) bits = rng.bits();
    masks[i] = bits & 1;
  }
  return { masks, channels };
}

/**
 * How near each masked activation is to the whole one: exp(−d² / 2σ²) with d = 1 − cos(A, m·A) over all elements of the
 * layer and σ = 1. The cosine with an empty activation is taken as 0.
 *
 * @param energies Σ A² of each channel, [C]; the cosine follows from them as √(Σ_k m_k e_k / Σ_k e_k)
 */
export function limeSimilarities(
  { masks, channels }: ChannelMasks,
  energies: Float64Array,
): Float64Array {
  const whole = energies.reduce((a, b) => a + b, 0);
  const similarities = new Float64Array(masks.length / channels);
  for (let i = 0; i < similarities.length; i++) {
    let kept = 0;
    for (let k = 0; k < channels; k++) if (masks[i * channels + k]) kept += energies[k];
    const distance = 1 - (whole > 0 ? Math.sqrt(kept / whole) : 0);
    similarities[i] = Math.exp(-(distance ** 2) / (2 * settings.kernelWidth ** 2));
  }
  return similarities;
}

/**
 * The weighted lasso of scores on masks with a free constant: β of the minimum of 1/(2n) Σ_i w_i (y_i − b − Σ_k β_k m_ik)² +
 * α Σ_k |β_k|, with weights scaled to Σ w = n.
 *
 * @param scores y, [M]
 * @param similarities w, [M]
 */
export function limeCoefficients(
  sampled: ChannelMasks,
  scores: Float64Array,
  similarities: Float64Array,
): Float64Array {
  return solve(sampled, scores, similarities, gramOf(sampled, similarities));
}

/** Means m̄ [C] and covariance Σ w (m − m̄)(m − m̄)ᵀ / Σ w [C, C] of weighted masks. */
interface MaskGram {
  readonly means: Float64Array;
  readonly gram: Float64Array;
}

function gramOf({ masks, channels }: ChannelMasks, weights: Float64Array): MaskGram {
  const total = weights.reduce((a, b) => a + b, 0);
  const gram = coOccurrence(masks, channels, weights.map((weight) => weight / total));
  const means = Float64Array.from({ length: channels }, (_, k) => gram[k * channels + k]);
  for (let a = 0, at = 0; a < channels; a++) {
    for (let b = 0; b < channels; b++, at++) gram[at] -= means[a] * means[b];
  }
  return { means, gram };
}

function solve(
  { masks, channels }: ChannelMasks,
  scores: Float64Array,
  weights: Float64Array,
  { means, gram }: MaskGram,
): Float64Array {
  let total = 0, mean = 0;
  for (let i = 0; i < scores.length; i++) {
    total += weights[i];
    mean += weights[i] * scores[i];
  }
  mean /= total;
  const products = new Float64Array(channels);
  for (let i = 0; i < scores.length; i++) {
    const value = weights[i] / total * (scores[i] - mean);
    for (let k = 0; k < channels; k++) {
      products[k] += value * (masks[i * channels + k] - means[k]);
    }
  }
  return lasso(gram, products, settings.penalty);
}

const samplesOf = perSample(async (context, row): Promise<
  { sampled: ChannelMasks; similarities: Float64Array; gram: MaskGram; scores: Scores }
> => {
  const { classifier, forward } = context;
  const { channels, cells, activation } = await readActivation(context);
  const sampled = drawLimeMasks(context.rng("lime-cam", row), settings.samples, channels);
  const energies = new Float64Array(channels);
  for (let k = 0, at = row * channels * cells; k < channels; k++) {
    for (let i = 0; i < cells; i++, at++) energies[k] += activation[at] ** 2;
  }
  const similarities = limeSimilarities(sampled, energies);
  return {
    sampled,
    similarities,
    gram: gramOf(sampled, similarities),
    scores: await maskedScores(classifier, forward, row, sampled.masks),
  };
});

/**
 * LIME-CAM: w_k is the coefficient of channel k in a sparse linear model of the score under random masks of channels, fitted
 * with more weight on masks that change the layer little; map = ReLU(Σ_k w_k A_k).
 *
 * The model is the lasso of `limeCoefficients` on 256 masks that keep each channel with probability ½. Its penalty is absolute
 * (0.01 in units of the score), so that for target `probability` small probabilities can give a map of zeros.
 *
 * Needs no gradient. All masks of a sample run at once, by sums of contributions where the head allows (`maskedScores`).
 *
 * Source: Ribeiro, Singh & Guestrin, "'Why Should I Trust You?' Explaining the Predictions of Any Classifier" (KDD 2016, arXiv
 * 1602.04938), equation 2, with channels as features; the settings are those of captum's `Lime`, which the EmoCAM thesis uses.
 *
 * Departs from captum, which stops coordinate descent early: the lasso is solved to rounding error.
 */
export const limeCam: Method = {
  name: "lime-cam",
  title: "LIME-CAM",
  source: "Ribeiro et al. 2016, arXiv 1602.04938, eq. 2",
  family: "perturbation",
  rectify: true,
  usesTarget: true,
  usesMasks: true,
  published: { target: "logit" },
  yieldsWeights: true,
  random: true,
  settings,
  unsupported: targetUnsupported,
  compute: (context, classes) =>
    weighSamples(context, classes, async (row, k) => {
      const { sampled, similarities, gram, scores } = await samplesOf(context, row);
      return solve(sampled, scoresOf(context, row, k, scores), similarities, gram);
    }),
};
