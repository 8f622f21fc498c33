/**
 * EigenGradCAM.
 *
 * @module
 */

import { mapOfEach, readGradients } from "./_layer.ts";
import { principalProjection } from "./_principal.ts";
import { gradientUnsupported, type Method } from "./method.ts";

/**
 * EigenGradCAM: map = ReLU((g ⊙ A) v₁), with g = ∂y_c/∂A, g ⊙ A as a matrix [cells, channels], centred by channel, and v₁ its first right
 * singular vector: EigenCAM of what HiResCAM sums, and so of one class.
 *
 * Needs a gradient from the score down to the target layer. The sign makes the map's inner product with the mean of g ⊙ A over channels
 * positive, so that what speaks for the class is bright.
 *
 * Source: pytorch-grad-cam 1.5.7, `EigenGradCAM`, which has its sign from LAPACK; it names no paper.
 */
export const eigenGradCam: Method = {
  name: "eigen-grad-cam",
  title: "EigenGradCAM",
  source: "pytorch-grad-cam 1.5.7, EigenGradCAM (no paper)",
  family: "gradient",
  rectify: true,
  usesTarget: true,
  usesGradient: true,
  unsupported: gradientUnsupported,
  async compute(context, classes) {
    const layer = await readGradients(context, classes);
    const { activation, gradient, cells } = layer;
    const map = mapOfEach(layer, (from, to) => {
      const products = new Float64Array(to - from);
      for (let i = from; i < to; i++) products[i - from] = gradient[i] * activation[i];
      return principalProjection(products, cells);
    });
    return { map };
  },
};
