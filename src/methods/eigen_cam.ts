/**
 * EigenCAM.
 *
 * @module
 */

import { mapOfEach, readActivation } from "./_layer.ts";
import { perContext } from "./_per_sample.ts";
import { principalProjection } from "./_principal.ts";
import type { Method } from "./method.ts";

/**
 * EigenCAM: map = ReLU(A v₁), with A the activation as a matrix [cells, channels] and v₁ its first right singular vector: the first
 * principal component of the layer. It knows neither class nor score, and so is one of the controls: a method that explains a
 * class should differ from it.
 *
 * A singular vector's sign is arbitrary. Ours makes the map's inner product with the mean over channels positive, so that what is
 * active is bright.
 *
 * Source: Muhammad and Yeasin, "Eigen-CAM: Class Activation Map using Principal Components" (IJCNN 2020, arXiv 2008.00299).
 *
 * Departs from the source: each channel is centred first, as in pytorch-grad-cam (whose sign is LAPACK's); the paper does not
 * centre, does not state a sign and shows the map without ReLU.
 */
export const eigenCam: Method = {
  name: "eigen-cam",
  title: "EigenCAM (control)",
  source: "control; Muhammad & Yeasin 2020, arXiv 2008.00299",
  family: "control",
  rectify: true,
  usesTarget: false,
  unsupported: () => undefined,
  compute: perContext(async (context) => {
    const layer = await readActivation(context);
    const map = mapOfEach(
      layer,
      (from, to) =>
        principalProjection(Float64Array.from(layer.activation.subarray(from, to)), layer.cells),
    );
    return { map };
  }),
};
