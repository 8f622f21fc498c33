/**
 * KernelSHAP-CAM.
 *
 * @module
 */

import type { Rng } from "../base/rng.ts";
import { maskedScores } from "../classifier/channel_masks.ts";
import type { Scores } from "../classifier/evaluate.ts";
import { leastSquares } from "../algebra/least_squares.ts";
import { scoresOf, weighSamples } from "./_channel_weights.ts";
import type { ChannelMasks } from "./lime_cam.ts";
import { perSample } from "./_per_sample.ts";
import { type Method, type MethodContext, targetUnsupported } from "./method.ts";
import type { Tensor } from "../base/tensor.ts";
import { overEmptyLayer } from "./_sums.ts";
import { ones } from "../base/bits.ts";

const settings = { samples: 256 };

/**
 * Masks of which the first keeps all channels and the second none; the others keep n channels with probability proportional to
 * (C − 1) / (n (C − n)), any n channels alike: the Shapley kernel as a distribution.
 */
export function drawShapMasks(rng: Rng, samples: number, channels: number): ChannelMasks {
  const masks = new Uint8Array(Math.max(samples, 2) * channels);
  masks.fill(1, 0, channels);
  const sums: number[] = [];
  for (let n = 1; n < channels; n++) sums.push((sums.at(-1) ?? 0) + 1 / (n * (channels - n)));
  if (sums.length === 0) return { masks: masks.slice(0, 2), channels };
  const order = Uint32Array.from({ length: channels }, (_, k) => k);
  for (let i = 2; i < samples; i++) {
    const drawn = rng.uniform() * sums.at(-1)!;
    const kept = 1 + sums.findIndex((sum) => drawn < sum);
    // The first steps of a Fisher–Yates shuffle give the channels that differ from the rest, the fewer ones.
    const fewer = Math.min(kept, channels - kept);
    const value = fewer === kept ? 1 : 0;
    if (value === 0) masks.fill(1, i * channels, (i + 1) * channels);
    for (let a = 0; a < fewer; a++) {
      const b = a + rng.below(channels - a);
      const k = order[b];
      order[b] = order[a];
      order[a] = k;
      masks[i * channels + k] = value;
    }
  }
  return { masks, channels };
}

/**
 * The Shapley values that fit the scores best: β of the least Σ_i (y_i − y_∅ − Σ_k β_k m_ik)² under Σ_k β_k = y_all − y_∅,
 * the shortest β if there are several (fewer masks than channels).
 *
 * The condition is eliminated: β = Δ/C + γ with Σγ = 0, where γ is the shortest solution of the rows m_i − mean(m_i), which
 * lies in that subspace by itself.
 *
 * @param sampled M masks, the first full and the second empty
 * @param scores y, [M]
 */
export function shapCoefficients(sampled: ChannelMasks, scores: Float64Array): Float64Array {
  return shapSolver(sampled)(scores);
}

/** The part of `shapCoefficients` that does not depend on the scores, done once for a sample's masks. */
function shapSolver({ masks, channels }: ChannelMasks): (scores: Float64Array) => Float64Array {
  const rows = masks.length / channels - 2;
  const bits = packed(masks.subarray(2 * channels), channels);
  const words = Math.ceil(channels / 32);
  // (m − |m|/C)ᵀ(m' − |m'|/C) = |m ∧ m'| − |m| |m'| / C, times C to stay whole.
  const sizes = new Uint32Array(rows);
  const products = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    sizes[i] = common(bits, i * words, i * words, words);
    for (let j = 0; j <= i; j++) {
      const both = common(bits, i * words, j * words, words);
      const product = channels * both - sizes[i] * sizes[j];
      products[i * rows + j] = product;
      products[j * rows + i] = product;
    }
  }
  const fit = leastSquares(products, rows);
  return (scores) => {
    const all = scores[0], none = scores[1];
    const share = (all - none) / channels;
    const rest = Float64Array.from(sizes, (size, i) => scores[i + 2] - none - size * share);
    const u = fit(rest);
    const coefficients = new Float64Array(channels).fill(share);
    for (let i = 0; i < rows; i++) {
      const step = channels * u[i];
      const mean = sizes[i] / channels;
      const from = (i + 2) * channels;
      for (let k = 0; k < channels; k++) coefficients[k] += step * (masks[from + k] - mean);
    }
    return coefficients;
  };
}

/** Rows of zeros and ones as bits, each row in whole words. */
function packed(masks: Uint8Array, channels: number): Uint32Array {
  const words = Math.ceil(channels / 32);
  const bits = new Uint32Array(masks.length / channels * words);
  for (let i = 0; i < masks.length; i++) {
    const k = i % channels;
    if (masks[i]) bits[(i - k) / channels * words + (k >> 5)] |= 1 << (k & 31);
  }
  return bits;
}

/** The number of bits that two rows have in common. */
function common(bits: Uint32Array, p: number, q: number, words: number): number {
  let sum = 0;
  for (let w = 0; w < words; w++) sum += ones(bits[p + w] & bits[q + w]);
  return sum;
}

const samplesOf = perSample(async (context, row): Promise<
  { scores: Scores; solve: (scores: Float64Array) => Float64Array }
> => {
  const { classifier, forward } = context;
  const rng = context.rng("kernel-shap-cam", row);
  const sampled = drawShapMasks(rng, settings.samples, classifier.layer.channels);
  const scores = await maskedScores(classifier, forward, row, sampled.masks);
  return { scores, solve: shapSolver(sampled) };
});

/**
 * KernelSHAP-CAM: w_k estimates the Shapley value of channel k for the score, the baseline being an empty layer; map =
 * ReLU(Σ_k w_k A_k).
 *
 * The values come from 256 masks drawn from the Shapley kernel. They sum exactly to the score minus that of the empty layer,
 * whatever the number of masks. With fewer masks than channels they are the shortest that fit.
 *
 * Needs no gradient. All masks of a sample run at once, by sums of contributions where the head allows (`maskedScores`).
 *
 * Source: Lundberg & Lee, "A Unified Approach to Interpreting Model Predictions" (NeurIPS 2017, arXiv 1705.07874), theorem 2,
 * with channels as features.
 *
 * Departs from captum's `KernelShap`, which gives the full and the empty mask the weight 10⁶: here, as in the theorem, it is infinite.
 * On the reference networks that changes a coefficient by 4e-5 of the largest at most.
 */
export const kernelShapCam: Method = {
  name: "kernel-shap-cam",
  title: "KernelSHAP-CAM",
  source: "Lundberg & Lee 2017, arXiv 1705.07874, theorem 2",
  family: "perturbation",
  rectify: true,
  usesTarget: true,
  usesMasks: true,
  yieldsWeights: true,
  random: true,
  settings,
  unsupported: targetUnsupported,
  compute: shapleyValues,
  // Efficiency: Shapley values add up to what all players together gain.
  async sums(context, classes) {
    const { weights } = await shapleyValues(context, classes);
    return await overEmptyLayer(context, classes, weights);
  },
};

function shapleyValues(
  context: MethodContext,
  classes: readonly number[],
): Promise<{ weights: Tensor }> {
  return weighSamples(context, classes, async (row, k) => {
    const { scores, solve } = await samplesOf(context, row);
    return solve(scoresOf(context, row, k, scores));
  });
}
