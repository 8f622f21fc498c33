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
  const scaleY = grid / ((grid + 1) * Math.ceil(height / grid));
  const scaleX = grid / ((grid + 1) * Math.ceil(width / grid));
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

const maskedScores = perSample((context, row) => {
  const [, height, width] = context.classifier.inputShape;
  const rng = context.rng("rise", row);
  return changedInputScores(context, row, settings.masks, (i, copy, values) => {
    multiply(copy, values, riseMask(drawRiseMask(rng, i, height, width), height, width));
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
      const scores = scoresOf(await maskedScores(context, row), classes[row]!, context.target);
      const rng = context.rng("rise", row);
      const sum = new Float64Array(size);
      for (let i = 0; i < scores.length; i++) {
        const mask = riseMask(drawRiseMask(rng, i, height, width), height, width);
        const weight = scores[i]! / (settings.keep * settings.masks);
        for (let p = 0; p < size; p++) sum[p]! += weight * mask[p]!;
      }
      map.set(sum, row * size);
    }
    return { map: floats([classes.length, height, width], map) };
  },
};
