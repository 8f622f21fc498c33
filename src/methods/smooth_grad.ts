/**
 * SmoothGrad.
 *
 * @module
 */

import { floats, sizeOf, type Tensor } from "../base/tensor.ts";
import {
  inputGradientsAt,
  inputGradientUnsupported,
  largestOfChannels,
} from "./_input_gradient.ts";
import type { Method, MethodContext } from "./method.ts";

const SAMPLES = 25;
const NOISE = 0.15;

/**
 * SmoothGrad: map = max_c |(1/n) Σ_s ∂y/∂x_c (x + ε_s)| with ε_s normal noise of standard deviation σ (max x − min x),
 * n = 25 and σ = 0.15: the mean of signed gradients, shown as saliency maps are. NaN where y is not finite, and for a sample with a
 * value that is not, since such a sample has no range.
 *
 * Source: Smilkov et al., "SmoothGrad: removing noise by adding noise" (2017, arXiv 1706.03825), section 3; the noise level is
 * the middle of the 10 % to 20 % found to work there, with respect to the range of the sample's own input values.
 *
 * The noise depends on the seed and the sample only, and is the same for all classes.
 */
export const smoothGrad: Method = {
  name: "smooth-grad",
  title: "SmoothGrad",
  source: "Smilkov et al. 2017, arXiv 1706.03825, sec. 3",
  family: "input",
  rectify: false,
  usesTarget: true,
  needsInput: true,
  random: true,
  grid: "input",
  settings: { samples: SAMPLES, noise: NOISE },
  unsupported: inputGradientUnsupported,
  async compute(context, classes) {
    const noise = drawNoise(context);
    return { map: largestOfChannels(await smoothedGradient(context, classes, SAMPLES, noise)) };
  },
};

/** Noise that is added to sample `at` of a row, written into an array of the input's size. */
type Noise = (row: number, at: number, into: Float32Array) => void;

/**
 * The mean of the signed gradients at the inputs with noise added, [batch, C, H, W]; 0 for padding, NaN where a score or an input
 * with noise is not finite.
 */
export async function smoothedGradient(
  context: MethodContext,
  classes: readonly number[],
  samples: number,
  noise: Noise,
): Promise<Tensor> {
  const { input } = context;
  const size = sizeOf(input.shape.slice(1));
  const sums = new Float64Array(input.data.length);
  await inputGradientsAt(context, classes, samples, (row, at, into) => {
    noise(row, at, into);
    for (let i = 0; i < size; i++) into[i] += input.data[row * size + i];
  }, (row, _at, gradient) => {
    for (let i = 0; i < size; i++) sums[row * size + i] += gradient[i] / samples;
  });
  return floats(input.shape, Float32Array.from(sums));
}

/** Seeded noise, a separate stream for each sample of a row. */
function drawNoise({ input, rng }: MethodContext): Noise {
  const size = sizeOf(input.shape.slice(1));
  return (row, at, into) => {
    const own = input.data.subarray(row * size, (row + 1) * size);
    let low = Infinity, high = -Infinity;
    for (const value of own) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const stream = rng("smooth-grad", row).split(at);
    for (let i = 0; i < size; i++) into[i] = NOISE * (high - low) * stream.normal();
  };
}
