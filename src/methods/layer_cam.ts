/**
 * LayerCAM.
 *
 * @module
 */

import { cellwise } from "./_layer.ts";
import { gradientUnsupported, type Method } from "./method.ts";

/**
 * LayerCAM: map = ReLU(Σ_k ReLU(g_k) ⊙ A_k), with g = ∂y_c/∂A: each cell has its own weight, its positive gradient. Made to
 * work at early layers too, where averaged gradients say little.
 *
 * Needs a gradient from the score down to the target layer.
 *
 * Source: Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization" (IEEE TIP 30, 2021),
 * section III.
 *
 * Departs from the source: the tanh scaling that the paper applies to maps of early layers before fusing them is
 * not applied: it does not change the order of cells, and one layer is explained.
 */
export const layerCam: Method = {
  name: "layer-cam",
  title: "LayerCAM",
  source: "Jiang et al. 2021, IEEE TIP 30, sec. III",
  family: "gradient",
  rectify: true,
  usesTarget: true,
  usesGradient: true,
  unsupported: gradientUnsupported,
  ...cellwise((sums, gradient, activation, from) => {
    for (let i = 0; i < sums.length; i++) {
      sums[i] += Math.max(0, gradient[from + i]) * activation[from + i];
    }
  }),
};
