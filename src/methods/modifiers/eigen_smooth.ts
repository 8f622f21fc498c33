/**
 * Smoothing by the first principal component.
 *
 * @module
 */

import { readFloats } from "../../classifier/classifier.ts";
import { mapOfEach, readActivation } from "../_layer.ts";
import { principalProjection } from "../_principal.ts";
import { type Modifier, named } from "./modifier.ts";

/**
 * Instead of the sum of the weighted channels, Σ_k w_k A_k, the projection of each cell on their first principal component: with X
 * [cells, channels] the products w_k A_k, each channel centred, X v₁ with v₁ the first right singular vector. What the channels
 * share stays, what only few of them show goes.
 *
 * A singular vector's sign is arbitrary: ours makes the map's inner product with Σ_k w_k A_k positive. Needs a method that
 * weighs channels.
 *
 * Source: `eigen_smooth` of pytorch-grad-cam 1.5.7 (`get_2d_projection` of the weighted activations), whose sign is LAPACK's.
 */
export const eigenSmooth: Modifier = {
  name: "eigen-smooth",
  unsupported: (method) =>
    method.weighsChannels ? undefined : "its maps are not sums of weighted channels",
  apply: (method) => ({
    ...method,
    ...named(method, "eigen-smooth", "first principal component"),
    weighsChannels: false,
    async compute(context, classes) {
      const attribution = await method.compute(context, classes);
      if ("map" in attribution) throw new TypeError(`${method.name} yields maps, not weights`);
      const weights = await readFloats(attribution.weights);
      const layer = await readActivation(context);
      const { channels, cells } = layer;
      const map = mapOfEach(layer, (from, to) => {
        const row = from / (channels * cells);
        const products = new Float64Array(to - from);
        for (let k = 0; k < channels; k++) {
          const weight = weights.data[row * channels + k]!;
          for (let i = 0; i < cells; i++) {
            products[k * cells + i] = weight * layer.activation[from + k * cells + i]!;
          }
        }
        return principalProjection(products, cells);
      });
      return { map };
    },
  }),
};
