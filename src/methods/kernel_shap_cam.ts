/**
 * KernelSHAP-CAM.
 *
 * @module
 */

import type { Rng } from "../base/rng.ts";
import { maskedScores } from "../classifier/channel_masks.ts";
import type { Scores } from "../classifier/classifier.ts";
import { leastSquares } from "../statistics/least_squares.ts";
import { scoresOf, weighSamples } from "./_channel_weights.ts";
import type { ChannelMasks } from "./lime_cam.ts";
import { perSample } from "./_per_sample.ts";
import { type Method, targetUnsupported } from "./method.ts";

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
    // The first steps of a Fisher–Yates shuffle.
    for (let a = 0; a < kept; a++) {
      const b = a + rng.below(channels - a);
      [order[a], order[b]] = [order[b]!, order[a]!];
      masks[i * channels + order[a]!] = 1;
    }
  }
  return { masks, channels };
}

/**
 * The Shapley values that fit the scores best: β of the least Σ_i (y_i − y_∅ − Σ_k β_k m_ik)² under Σ_k β_k = y_all − y_∅,
 * the shortest β where there are several (fewer masks than channels).
 *
 * The condition is eliminated: β = Δ/C + γ with Σγ = 0, where γ is the shortest solution of the rows m_i − mean(m_i), which
 * lies in that subspace by itself.
 *
 * @param sampled M masks, the first full and the second empty
 * @param scores y, [M]
 */
export function shapCoefficients(
  { masks, channels }: ChannelMasks,
  scores: Float64Array,
): Float64Array {
  const all = scores[0]!, none = scores[1]!;
  const share = (all - none) / channels;
  const rows = scores.length - 2;
  const columns = Array.from({ length: channels }, () => new Float64Array(rows));
  const values = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const from = (i + 2) * channels;
    let kept = 0;
    for (let k = 0; k < channels; k++) kept += masks[from + k]!;
    const mean = kept / channels;
    for (let k = 0; k < channels; k++) columns[k]![i] = masks[from + k]! - mean;
    values[i] = scores[i + 2]! - none - kept * share;
  }
  return leastSquares(columns, values).map((value) => value + share);
}

const samplesOf = perSample(async (context, row): Promise<
  { sampled: ChannelMasks; scores: Scores }
> => {
  const { classifier, forward } = context;
  const rng = context.rng("kernel-shap-cam", row);
  const sampled = drawShapMasks(rng, settings.samples, classifier.layer.channels);
  return { sampled, scores: await maskedScores(classifier, forward, row, sampled.masks) };
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
  random: true,
  settings,
  unsupported: targetUnsupported,
  compute: (context, classes) =>
    weighSamples(context, classes, async (row, k) => {
      const { sampled, scores } = await samplesOf(context, row);
      return shapCoefficients(sampled, scoresOf(scores, k, context.target));
    }),
};
