/**
 * Finer-CAM.
 *
 * @module
 */

import { floats, type Tensor } from "../base/tensor.ts";
import { readFloats, release } from "../classifier/values.ts";
import { softmax } from "./_channel_weights.ts";
import { gradientUnsupported, type Method, scoreTensorOf } from "./method.ts";

/** Classes that the explained one is compared with. */
const COMPARED = 3;
/** How much of their scores is subtracted; 0 gives Grad-CAM. */
const STRENGTH = 1;
/** Keeps the division by the compared classes' probabilities defined; the authors' value. */
const EPSILON = 1e-9;

/**
 * Finer-CAM: Grad-CAM of a difference of scores, d = Σ_t p_t (y_c − y_t) / Σ_t p_t, over the three classes t whose scores are nearest to
 * the explained class's: what sets a class apart from those it is most easily taken for. p = softmax(y); its gradient counts too, as
 * in the authors' code. w_k = mean over space of ∂d/∂A_k, map = ReLU(Σ_k w_k A_k).
 *
 * y is the tensor that the target's score is read from: probabilities (of which p is then a second softmax, as in pytorch-grad-cam) or
 * logits. For target `margin` it is the logits: the method makes its own margin. With fewer than four classes all others are
 * compared; equally near ones in the order of the classes.
 *
 * Needs a gradient from the score down to the target layer, and two classes.
 *
 * Source: Zhang et al., "Finer-CAM: Spotting the Difference Reveals Finer Details for Visual Explanation" (CVPR 2025,
 * arXiv 2501.11309), with α = 1 and three classes, as in the authors' code and pytorch-grad-cam 1.5.7.
 */
export const finerCam: Method = {
  name: "finer-cam",
  title: "Finer-CAM",
  source: "Zhang et al. 2025, arXiv 2501.11309",
  family: "gradient",
  rectify: true,
  usesTarget: true,
  usesGradient: true,
  yieldsWeights: true,
  settings: { compared: COMPARED, strength: STRENGTH },
  unsupported(classifier, target) {
    return gradientUnsupported(classifier, target) ??
      (classifier.classes.length < 2
        ? { reason: `Finer-CAM compares classes, and model ${classifier.card.name} has one` }
        : undefined);
  },
  async compute({ classifier, forward, target }, classes) {
    const tensor = scoreTensorOf(target);
    const scores = tensor === "logits" ? forward.logits! : forward.probabilities;
    const cotangent = differenceCotangent(scores, classes);
    const { gradient, mean } = await classifier.gradient(forward, tensor, cotangent);
    try {
      return { weights: await readFloats(mean) };
    } finally {
      release(gradient);
      release(mean);
    }
  },
};

/** The gradient ∂d/∂y of Finer-CAM's difference for one class of each row; `scores` are y, [rows, classes]. */
export function differenceCotangent(scores: Tensor, classes: readonly number[]): Tensor {
  const [rows, count] = scores.shape as [number, number];
  const cotangent = new Float32Array(rows * count);
  classes.forEach((c, row) => {
    const y = Array.from(scores.data.subarray(row * count, (row + 1) * count));
    const compared = nearest(y, c);
    const p = softmax(Float64Array.from(y));
    let mass = EPSILON, weighted = 0;
    for (const t of compared) {
      mass += p[t];
      weighted += p[t] * (y[c] - STRENGTH * y[t]);
    }
    const difference = weighted / mass;
    // ∂p_t/∂y_j = p_t (δ_tj − p_j), so that Σ_t (∂d/∂p_t) ∂p_t/∂y_j needs the p_t-weighted sum of ∂d/∂p_t once.
    const slope = (t: number) => (y[c] - STRENGTH * y[t] - difference) / mass;
    const total = compared.reduce((sum, t) => sum + p[t] * slope(t), 0);
    const out = cotangent.subarray(row * count, (row + 1) * count);
    for (let j = 0; j < count; j++) out[j] = -p[j] * total;
    for (const t of compared) {
      out[t] += p[t] * slope(t) - STRENGTH * p[t] / mass;
      out[c] += p[t] / mass;
    }
  });
  return floats([rows, count], cotangent);
}

/** The classes whose values are nearest to that of class `c`, itself left out. */
function nearest(y: readonly number[], c: number): number[] {
  return y.map((_, t) => t).filter((t) => t !== c)
    .sort((a, b) => Math.abs(y[a] - y[c]) - Math.abs(y[b] - y[c])).slice(0, COMPARED);
}
