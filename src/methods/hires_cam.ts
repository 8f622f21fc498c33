/**
 * HiResCAM.
 *
 * @module
 */

import { cellwise } from "./_layer.ts";
import { gradientUnsupported, type Method } from "./method.ts";

/**
 * HiResCAM: map = ReLU(Σ_k g_k ⊙ A_k), with g = ∂y_c/∂A. The gradient stays where it is instead of being averaged over space, so
 * that with a head that is one linear layer the map's sum is the logit without its bias.
 *
 * Needs a gradient from the score down to the target layer. With a pooling + linear head it equals Grad-CAM.
 *
 * Source: Draelos and Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks"
 * (arXiv 2011.08891).
 *
 * Departs from the source: negative values are set to 0 before normalisation, as Grad-CAM does; the paper makes it optional.
 */
export const hiResCam: Method = {
  name: "hires-cam",
  title: "HiResCAM",
  source: "Draelos & Carin 2020, arXiv 2011.08891",
  family: "gradient",
  rectify: true,
  usesTarget: true,
  usesGradient: true,
  equalsCam: true,
  unsupported: gradientUnsupported,
  ...cellwise((sums, gradient, activation, from) => {
    for (let i = 0; i < sums.length; i++) {
      sums[i] += gradient[from + i] * activation[from + i];
    }
  }),
};
