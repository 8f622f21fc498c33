/**
 * FEM, the feature explanation method.
 *
 * @module
 */

import { channelWeights, readActivation } from "./_layer.ts";
import { perContext } from "./_per_sample.ts";
import type { Method } from "./method.ts";

/** Standard deviations above the mean at which a cell counts as strong; pytorch-grad-cam's value. */
const SIGMAS = 2;

/**
 * FEM: w_k = the fraction of cells in which A_k > mean(A_k) + 2 std(A_k) (population standard deviation over the cells), and
 * map = Σ_k w_k A_k. Knows neither class nor score.
 *
 * Source: Fuad et al., "Features Understanding in 3D CNNs for Actions Recognition in Video" (IPTA 2020), the k-sigma rule, as in
 * pytorch-grad-cam 1.5.7 with k = 2.
 *
 * Departs from the source: the weighted sum is over the activations, as in pytorch-grad-cam, not over the binary maps; negative values
 * are set to 0 before normalisation.
 */
export const fem: Method = {
  name: "fem",
  title: "FEM",
  source: "Fuad et al. 2020 (IPTA), as in pytorch-grad-cam 1.5.7",
  family: "gradient",
  rectify: true,
  usesTarget: false,
  yieldsWeights: true,
  settings: { sigmas: SIGMAS },
  unsupported: () => undefined,
  compute: perContext(async (context) => {
    const layer = await readActivation(context);
    const { activation, cells } = layer;
    const weights = channelWeights(layer, (from, to) => {
      let sum = 0;
      for (let i = from; i < to; i++) sum += activation[i];
      const mean = sum / cells;
      let squares = 0;
      for (let i = from; i < to; i++) squares += (activation[i] - mean) ** 2;
      const threshold = mean + SIGMAS * Math.sqrt(squares / cells);
      // A channel with a NaN has no cell above its threshold, but its NaN stays in the map: 0 · NaN is NaN.
      let strong = 0;
      for (let i = from; i < to; i++) if (activation[i] > threshold) strong++;
      return strong / cells;
    });
    return { weights };
  }),
};
