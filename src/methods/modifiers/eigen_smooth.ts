/**
 * Smoothing by the first principal component.
 *
 * @module
 */

import { readFloats } from "../../classifier/values.ts";
import { type LayerValues, mapOfEach, readActivation } from "../_layer.ts";
import type { Method, MethodContext } from "../method.ts";
import { principalProjection } from "../_principal.ts";
import { type Modifier, named } from "./modifier.ts";

/**
 * Instead of the sum of the weighted channels, Σ_k w_k A_k, the projection of each cell on their first principal component: with X
 * [cells, channels] the products w_k A_k (or the terms of a method that sums others, as HiResCAM's g_k ⊙ A_k), each channel centred, X v₁ with v₁ the first right singular vector. What the channels
 * share stays, what only few of them show goes.
 *
 * A singular vector's sign is arbitrary: ours makes the map's inner product with the sum positive. Needs a method that
 * sums over the channels of the target layer.
 *
 * Source: `eigen_smooth` of pytorch-grad-cam 1.5.7 (`get_2d_projection` of the weighted activations, or of what HiResCAM, LayerCAM and GradCAMElementWise sum), whose sign is LAPACK's.
 */
export const eigenSmooth: Modifier = {
  name: "eigen-smooth",
  unsupported: (method) =>
    method.yieldsWeights || method.terms
      ? undefined
      : "its maps are not sums over the channels of the target layer",
  apply: (method) => ({
    ...method,
    ...named(method, "eigen-smooth", "first principal component"),
    yieldsWeights: false,
    async compute(context, classes) {
      const layer = await readActivation(context);
      const terms = await termsOf(method, context, classes, layer);
      return {
        map: mapOfEach(layer, (from, to) => principalProjection(terms(from, to), layer.cells)),
      };
    },
  }),
};

/** The terms of one sample, [C, h, w], by where its activation lies in the layer's. */
async function termsOf(
  method: Method,
  context: MethodContext,
  classes: readonly number[],
  { activation, channels, cells }: LayerValues,
): Promise<(from: number, to: number) => Float64Array> {
  if (method.terms) {
    const { data } = await method.terms(context, classes);
    return (from, to) => Float64Array.from(data.subarray(from, to));
  }
  const attribution = await method.compute(context, classes);
  if ("map" in attribution) throw new TypeError(`${method.name} yields maps, not weights`);
  const weights = await readFloats(attribution.weights);
  return (from, to) => {
    const row = from / (channels * cells);
    return Float64Array.from(
      { length: to - from },
      (_, i) => weights.data[row * channels + Math.floor(i / cells)] * activation[from + i],
    );
  };
}
