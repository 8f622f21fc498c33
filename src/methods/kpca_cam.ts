/**
 * KPCA-CAM.
 *
 * @module
 */

import { mapOfEach, readActivation } from "./_layer.ts";
import { perContext } from "./_per_sample.ts";
import { centreChannels, largestEigenpair, orient } from "./_principal.ts";
import type { Method } from "./method.ts";
import { flag } from "../base/flag.ts";

/** The kernel's offset; its factor is 1 / channels. scikit-learn's defaults. */
const OFFSET = 1;
/** Cells of the layer at most: the kernel matrix of so many takes 128 MiB. */
const MOST_CELLS = 4096;
/**
 * Part of the number of cells up to which λ₁ counts as 0. The kernel's entries are of order 1, and λ₁ at most the number of cells. Of a
 * constant layer rounding leaves up to 7.2e-14 of it (any number of cells up to the most allowed).
 */
const ROUNDING = 1e-13;

/**
 * KPCA-CAM: the first component of a kernel PCA of the cells. With x_i the channels of cell i, centred by channel,
 * K_ij = tanh(x_i · x_j / C + 1) is centred in rows and columns, and map = ReLU(√λ₁ u₁), λ₁ and u₁ its largest eigenvalue and eigenvector.
 * As EigenCAM it knows neither class nor score.
 *
 * The sign makes the entry of largest magnitude positive, as scikit-learn's `KernelPCA` does, on which the authors build. A layer
 * without variation, or one whose largest eigenvalue is not positive (the sigmoid kernel is not positive definite), gives 0: λ₁ up to
 * 1e-13 times the number of cells is rounding. A NaN or an infinity in the layer gives NaN.
 *
 * The kernel matrix compares each cell with each, so that a layer of more than 4096 cells is refused.
 *
 * Source: Karmani et al., "KPCA-CAM: Visual Explainability of Deep Computer Vision Models using Kernel PCA" (MMSP 2024,
 * arXiv 2410.00267), with the sigmoid kernel and settings of pytorch-grad-cam 1.5.7.
 *
 * Departs from the source: the channels are centred before the kernel, as in pytorch-grad-cam.
 */
export const kpcaCam: Method = {
  name: "kpca-cam",
  title: "KPCA-CAM",
  source: "Karmani et al. 2024, arXiv 2410.00267",
  family: "gradient",
  rectify: true,
  usesTarget: false,
  settings: { kernel: "sigmoid", offset: OFFSET },
  unsupported: ({ layer: { height, width } }) =>
    height * width <= MOST_CELLS ? undefined : {
      reason:
        `the layer has ${height}×${width} cells, and kernel PCA compares each with each: take a layer of at most ${MOST_CELLS} (${
          flag("layer")
        })`,
    },
  compute: perContext(async (context) => {
    const layer = await readActivation(context);
    const { activation, cells } = layer;
    const map = mapOfEach(layer, (from, to) => {
      const values = Float64Array.from(activation.subarray(from, to));
      centreChannels(values, cells);
      return kernelProjection(values, cells);
    });
    return { map };
  }),
};

/** √λ₁ u₁ of the centred kernel matrix of channels that are centred themselves; 0 where λ₁ is nothing but rounding. */
function kernelProjection(values: Float64Array, cells: number): Float64Array {
  const kernel = sigmoidKernel(values, cells);
  const means = new Float64Array(cells);
  let mean = 0;
  for (let i = 0; i < cells; i++) {
    for (let j = 0; j < cells; j++) means[i] += kernel[i * cells + j] / cells;
    mean += means[i] / cells;
  }
  for (let i = 0; i < cells; i++) {
    for (let j = 0; j < cells; j++) kernel[i * cells + j] += mean - means[i] - means[j];
  }
  const { value, vector } = largestEigenpair(cells, (x, y) => {
    for (let i = 0; i < cells; i++) {
      let product = 0;
      for (let j = 0; j < cells; j++) product += kernel[i * cells + j] * x[j];
      y[i] = product;
    }
  });
  if (value <= ROUNDING * cells) return new Float64Array(cells);
  const length = Math.sqrt(value);
  return orient(vector.map((entry) => entry * length));
}

/** tanh(x_i · x_j / C + 1), [cells, cells]. */
function sigmoidKernel(values: Float64Array, cells: number): Float64Array {
  const channels = values.length / cells;
  // Cell by cell, so that the inner product below runs along memory.
  const byCell = new Float64Array(values.length);
  for (let k = 0; k < channels; k++) {
    for (let i = 0; i < cells; i++) byCell[i * channels + k] = values[k * cells + i];
  }
  const kernel = new Float64Array(cells * cells);
  for (let i = 0; i < cells; i++) {
    for (let j = 0; j <= i; j++) {
      const a = i * channels, b = j * channels;
      // Two sums, so that one addition need not wait for the other.
      let product = 0, other = 0, k = 0;
      for (; k + 1 < channels; k += 2) {
        product += byCell[a + k] * byCell[b + k];
        other += byCell[a + k + 1] * byCell[b + k + 1];
      }
      if (k < channels) product += byCell[a + k] * byCell[b + k];
      kernel[i * cells + j] = kernel[j * cells + i] = Math.tanh(
        (product + other) / channels + OFFSET,
      );
    }
  }
  return kernel;
}
