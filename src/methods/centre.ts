/**
 * Control: a Gaussian in the middle.
 *
 * @module
 */

import { floats } from "../base/tensor.ts";
import { perContext } from "./_per_sample.ts";
import type { Method } from "./method.ts";

/** Standard deviation as a part of each side. */
const SIGMA = 0.25;

/**
 * exp(−(x² / 2σ_x² + y² / 2σ_y²)) about the middle of the input, σ a quarter of each side: the same for every sample and
 * class. Photographers put what matters in the middle; a method has to beat this prior.
 *
 * Source: control; the `center` baseline of the pointing game in TorchRay (Fong et al. 2019, arXiv 1910.08485).
 */
export const centre: Method = {
  name: "centre",
  title: "centred Gaussian (control)",
  source: "control; the centre baseline of Fong et al. 2019, arXiv 1910.08485",
  family: "control",
  rectify: false,
  usesTarget: false,
  ignores: ["picture", "model"],
  grid: "input",
  settings: { sigma: SIGMA },
  unsupported: () => undefined,
  compute: perContext(({ classifier: { batch, inputShape } }) => {
    const [, height, width] = inputShape;
    const map = new Float32Array(batch * height * width);
    const along = (i: number, extent: number) => ((i + 0.5) / extent - 0.5) / SIGMA;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        map[y * width + x] = Math.exp(-(along(x, width) ** 2 + along(y, height) ** 2) / 2);
      }
    }
    for (let row = 1; row < batch; row++) {
      map.copyWithin(row * height * width, 0, height * width);
    }
    return Promise.resolve({ map: floats([batch, height, width], map) });
  }),
};
