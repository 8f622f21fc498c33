/**
 * XGrad-CAM.
 *
 * @module
 */

import { channelWeights, readGradients } from "./_layer.ts";
import { gradientUnsupported, type Method } from "./method.ts";

/** Keeps a channel that is 0 everywhere from dividing by 0; pytorch-grad-cam's value. */
const EPSILON = 1e-7;

/**
 * XGrad-CAM: w_k = Σ_ij (A_k,ij / Σ_ab A_k,ab) g_k,ij and map = ReLU(Σ_k w_k A_k), with g = ∂y_c/∂A: the average gradient, weighted by
 * where the channel is active. Each channel's part of the map then sums to Σ_ij g_k,ij A_k,ij, its first-order share of the score
 * (sensitivity and conservation, the paper's axioms).
 *
 * Needs a gradient from the score down to the target layer. Made for activations that are not negative: at a layer in front
 * of its ReLU a channel's sum can come near 0, and its weight is then large and ill-conditioned.
 *
 * Source: Fu et al., "Axiom-based Grad-CAM: Towards Accurate Visualization and Explanation of CNNs" (BMVC 2020, arXiv 2008.02312),
 * section 3.
 *
 * Departs from the source: 1e-7 is added to the channel's sum, as pytorch-grad-cam does.
 */
export const xGradCam: Method = {
  name: "xgrad-cam",
  title: "XGrad-CAM",
  source: "Fu et al. 2020, arXiv 2008.02312, sec. 3",
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
      let sum = 0, product = 0;
      for (let i = from; i < to; i++) {
        sum += activation[i];
        product += gradient[i] * activation[i];
      }
      return product / (sum + EPSILON);
    });
    return { weights };
  },
};
