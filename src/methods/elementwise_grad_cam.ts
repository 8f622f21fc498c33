/**
 * Element-wise Grad-CAM.
 *
 * @module
 */

import { cellwise } from "./_layer.ts";
import { gradientUnsupported, type Method } from "./method.ts";

/**
 * Element-wise Grad-CAM: map = Σ_k ReLU(g_k ⊙ A_k), with g = ∂y_c/∂A: HiResCAM with the ReLU inside the sum, so that what speaks
 * against the class in one channel does not cancel what speaks for it in another.
 *
 * Needs a gradient from the score down to the target layer. Never negative.
 *
 * Source: pytorch-grad-cam 1.5.7, `GradCAMElementWise`; it names no paper.
 */
export const elementwiseGradCam: Method = {
  name: "elementwise-grad-cam",
  title: "Element-wise Grad-CAM",
  source: "pytorch-grad-cam 1.5.7, GradCAMElementWise (no paper)",
  family: "gradient",
  rectify: true,
  usesTarget: true,
  usesGradient: true,
  unsupported: gradientUnsupported,
  ...cellwise((sums, gradient, activation, from) => {
    for (let i = 0; i < sums.length; i++) {
      sums[i] += Math.max(0, gradient[from + i] * activation[from + i]);
    }
  }),
};
