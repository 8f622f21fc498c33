/**
 * Grad-CAM.
 *
 * @module
 */

import { gradientUnsupported, type Method } from "./method.ts";

/**
 * Grad-CAM: w_k = (1/Z) Σ_ij ∂y_c/∂A_k,ij and map = ReLU(Σ_k w_k A_k), Z the number of cells of the layer.
 *
 * y_c is the target's score: logit, probability or margin to the runner-up. A map that is negative everywhere becomes 0
 * everywhere after the ReLU, and its boxes get importance 0.
 *
 * Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization"
 * (ICCV 2017, arXiv 1610.02391), equations 1 and 2. The paper takes y_c before the softmax; that is target `logit`.
 */
export const gradCam: Method = {
  name: "grad-cam",
  title: "Grad-CAM",
  source: "Selvaraju et al. 2017, arXiv 1610.02391, eq. 1-2",
  family: "gradient",
  rectify: true,
  usesTarget: true,
  usesGradient: true,
  equalsCam: true,
  yieldsWeights: true,
  unsupported: gradientUnsupported,
  async compute(context, classes) {
    const { mean } = await context.gradient(classes);
    return { weights: mean };
  },
};
