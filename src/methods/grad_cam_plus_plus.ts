/**
 * Grad-CAM++.
 *
 * @module
 */

import { channelWeights, readGradients } from "./_layer.ts";
import { gradientUnsupported, type Method } from "./method.ts";

/** Keeps 0/0 out of cells whose gradient is tiny; pytorch-grad-cam's value. */
const EPSILON = 1e-6;

/**
 * Grad-CAM++: w_k = Σ_ij α_k,ij ReLU(g_k,ij) with α = g² / (2 g² + g³ Σ_ab A_k,ab), 0 where g = 0; map = ReLU(Σ_k w_k A_k). g = ∂y_c/∂A;
 * g² and g³ take the place of the second and third derivatives of exp(y_c), which they are for a score that is locally linear (equation 19);
 * the common factor exp(y_c) cancels or scales the whole map.
 *
 * Needs a gradient from the score down to the target layer. Made for activations that are not negative: at a layer in front
 * of its ReLU the denominator can come near 0, and such weights are ill-conditioned.
 *
 * Source: Chattopadhay et al., "Grad-CAM++: Improved Visual Explanations for Deep Convolutional Networks" (WACV 2018,
 * arXiv 1710.11063), equation 19.
 *
 * Departs from the source: 1e-6 is added to the denominator, as pytorch-grad-cam does. The gradients of a saturated probability are
 * below 1e-3, so that this term, not the formula, then sets α: prefer target `logit`, as the paper does. (torch-cam 0.5 differs from
 * both: its denominator is lost.)
 */
export const gradCamPlusPlus: Method = {
  name: "grad-cam-plus-plus",
  title: "Grad-CAM++",
  source: "Chattopadhay et al. 2018, arXiv 1710.11063, eq. 19",
  family: "gradient",
  rectify: true,
  usesTarget: true,
  usesGradient: true,
  yieldsWeights: true,
  settings: { epsilon: EPSILON },
  unsupported: gradientUnsupported,
  async compute(context, classes) {
    const layer = await readGradients(context, classes);
    const { activation, gradient } = layer;
    const weights = channelWeights(layer, (from, to) => {
      let sum = 0;
      for (let i = from; i < to; i++) sum += activation[i];
      let weight = 0;
      for (let i = from; i < to; i++) {
        const g = gradient[i];
        // ReLU(g) = 0 or α = 0; a NaN is kept.
        if (g <= 0) continue;
        const square = g * g;
        weight += g * square / (2 * square + sum * square * g + EPSILON);
      }
      return weight;
    });
    return { weights };
  },
};
