/**
 * RISE.
 *
 * @module
 */

import type { Rng } from "../base/rng.ts";
import { floats } from "../base/tensor.ts";
import { upsampleBilinear } from "../kernels/upsample_bilinear.ts";
import { scoresOf } from "./_channel_weights.ts";
import { changedInputScores, multiply } from "./_masked_inputs.ts";
import { perSample } from "./_per_sample.ts";
import { type Method, targetUnsupported } from "./method.ts";

const settings = { masks: 500, grid: 7, keep: 0.5 };

/** A coarse mask and where the input lies on it. */
export interface RiseMask {
  /** Cells that are kept, [grid, grid] of zeros and ones. */
  readonly cells: Float32Array;
  /** Pixels by which the input's corner lies inside the enlarged mask. */
  readonly shiftY: number;
  readonly shiftX: number;
}

/** Draws the i-th mask of a sample for an input of this size. */
export function drawRiseMask(rng: Rng, i: number, height: number, width: number): RiseMask {
  const own = rng.split(i);
  const cells = Float32Array.from(
    { length: settings.grid ** 2 },
    () => own.uniform() < settings.keep ? 1 : 0,
  );
  const shiftY = own.below(Math.ceil(height / settings.grid));
  const shiftX = own.below(Math.ceil(width / settings.grid));
  return { cells, shiftY, shiftX };
}

/** Cells of the enlarged grid for each of an axis's pixels. */
function scaleOf(pixels: number): number {
  const { grid } = settings;
  return grid / ((grid + 1) * Math.ceil(pixels / grid));
}

/**
 * Enlarges a coarse mask bilinearly to (grid + 1) times the size of one of `grid` parts of the input, and cuts the input's size out
 * at the shift: values 0..1, [height · width].
 */
export function riseMask(
  { cells, shiftY, shiftX }: RiseMask,
  height: number,
  width: number,
): Float32Array {
  const { grid } = settings;
  const scaleY = scaleOf(height), scaleX = scaleOf(width);
  const mask = new Float32Array(height * width);
  upsampleBilinear.cpu(
    {
      maps: 1,
      height: grid,
      width: grid,
      outHeight: height,
      outWidth: width,
      scaleY,
      offsetY: shiftY * scaleY - 0.5,
      scaleX,
      offsetX: shiftX * scaleX - 0.5,
    },
    cells,
    mask,
  );
  return mask;
}

/**
 * Σ_i w_i M_i over enlarged masks M_i with weights w_i, [height · width], in float64.
 *
 * Bilinear enlargement takes one axis after the other, M = Yᵀ C X with C the cells: masks are summed along x, and what is equally
 * shifted along y is enlarged along y together. With 500 masks of 227 × 227 pixels this is over ten times faster than mask by mask.
 */
export function sumOfMasks(
  masks: readonly RiseMask[],
  weights: ArrayLike<number>,
  height: number,
  width: number,
): Float64Array {
  const { grid } = settings;
  const alongX = new Map<number, Float32Array>();
  /** Σ w C X, [grid, width], by the shift along y. */
  const bands = new Map<number, Float64Array>();
  masks.forEach(({ cells, shiftY, shiftX }, i) => {
    let parts = alongX.get(shiftX);
    if (!parts) alongX.set(shiftX, parts = partsOf(width, shiftX));
    let band = bands.get(shiftY);
    if (!band) bands.set(shiftY, band = new Float64Array(grid * width));
    for (let cell = 0; cell < grid ** 2; cell++) {
      const weight = weights[i] * cells[cell];
      if (weight === 0) continue;
      const to = Math.floor(cell / grid) * width, from = cell % grid * width;
      for (let x = 0; x < width; x++) band[to + x] += weight * parts[from + x];
    }
  });
  const sum = new Float64Array(height * width);
  for (const [shiftY, band] of bands) {
    const parts = partsOf(height, shiftY);
    for (let y = 0; y < height; y++) {
      for (let g = 0; g < grid; g++) {
        const part = parts[g * height + y];
        if (part === 0) continue;
        for (let x = 0; x < width; x++) sum[y * width + x] += part * band[g * width + x];
      }
    }
  }
  return sum;
}

/** The part that each of the grid's cells along an axis has in each pixel, [grid, pixels]. */
function partsOf(pixels: number, shift: number): Float32Array {
  const { grid } = settings;
  const scale = scaleOf(pixels);
  const cells = Float32Array.from({ length: grid ** 2 }, (_, i) => i % (grid + 1) === 0 ? 1 : 0);
  const parts = new Float32Array(grid * pixels);
  upsampleBilinear.cpu(
    {
      maps: grid,
      height: 1,
      width: grid,
      outHeight: 1,
      outWidth: pixels,
      scaleY: 1,
      offsetY: -0.5,
      scaleX: scale,
      offsetX: shift * scale - 0.5,
    },
    cells,
    parts,
  );
  return parts;
}

/** A sample's masks, as grids: enlarged, those of 227 × 227 pixels would take 100 MB. */
const masksOf = perSample((context, row) => {
  const [, height, width] = context.classifier.inputShape;
  const rng = context.rng("rise", row);
  const draw = (_: unknown, i: number) => drawRiseMask(rng, i, height, width);
  return Promise.resolve(Array.from({ length: settings.masks }, draw));
});

const maskedScores = perSample(async (context, row) => {
  const [, height, width] = context.classifier.inputShape;
  const masks = await masksOf(context, row);
  return await changedInputScores(context, row, masks.length, (i, copy, values) => {
    multiply(copy, values, riseMask(masks[i], height, width));
  });
});

/**
 * RISE: map = 1/(E[M] · N) Σ_i y_c(X ∘ M_i) M_i over N random masks M_i, on the input's pixels.
 *
 * A mask is a random grid of 7 × 7 cells, each kept with probability ½, enlarged bilinearly and shifted by less than a cell;
 * E[M] = ½. Masks multiply the input as the model sees it. N = 500, where the paper takes 4000 to 8000: the noise of the map falls with
 * √N. With a logit a constant part of the score adds the mean of the masks to the map, which normalisation takes off but for noise;
 * target `probability` is the paper's.
 *
 * Costs a pass of the whole model for each mask. Needs no gradient and no layer.
 *
 * Source: Petsiuk, Das & Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models" (BMVC 2018, arXiv 1806.07421),
 * equation 6 and section 3.2.
 */
export const rise: Method = {
  name: "rise",
  title: "RISE",
  source: "Petsiuk et al. 2018, arXiv 1806.07421, eq. 6",
  family: "perturbation",
  rectify: false,
  usesTarget: true,
  needsInput: true,
  random: true,
  grid: "input",
  settings,
  unsupported: targetUnsupported,
  async compute(context, classes) {
    const [, height, width] = context.classifier.inputShape;
    const size = height * width;
    const map = new Float32Array(classes.length * size);
    for (let row = 0; row < context.forward.count; row++) {
      const scores = scoresOf(context, row, classes[row], await maskedScores(context, row));
      const weights = scores.map((score) => score / (settings.keep * settings.masks));
      map.set(sumOfMasks(await masksOf(context, row), weights, height, width), row * size);
    }
    return { map: floats([classes.length, height, width], map) };
  },
};
