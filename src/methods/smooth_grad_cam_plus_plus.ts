/**
 * Smooth Grad-CAM++.
 *
 * @module
 */

import { floats, sizeOf, type Tensor } from "../base/tensor.ts";
import { readFloats, release } from "../classifier/values.ts";
import { channelWeights, readActivation } from "./_layer.ts";
import { cotangentOf, gradientUnsupported, type Method, type MethodContext } from "./method.ts";

/** Noisy copies of each input. */
const SAMPLES = 8;
/** Standard deviation of the noise, as a share of the range of the sample's own input values. */
const NOISE = 0.15;
/** As in Grad-CAM++, which the method is without noise. */
const EPSILON = 1e-6;

/**
 * Smooth Grad-CAM++: Grad-CAM++ with its derivatives averaged over noisy copies of the input. With D₁, D₂, D₃ the means of g, g² and g³,
 * g = ∂y_c/∂A at x + ε_s: α = D₂ / (2 D₂ + D₃ Σ_ab A_k,ab), w_k = Σ_ij α_k,ij ReLU(D₁) and map = ReLU(Σ_k w_k A_k), A being that of the input without noise.
 * Without noise it is Grad-CAM++.
 *
 * Noise is normal with a standard deviation of 0.15 (max x − min x), eight copies; it depends on the seed and the sample only, and is the same
 * for all classes. The runner-up of target `margin` is that of the input without noise.
 *
 * Needs the input and a gradient from the score down to the target layer; eight forward and backward passes a class.
 *
 * Source: Omeiza et al., "Smooth Grad-CAM++: An Enhanced Inference Level Visualization Technique for Deep Convolutional Neural Network
 * Models" (2019, arXiv 1908.01224).
 *
 * Departs from the source: α's numerator is D₂, as in Grad-CAM++, whose average it is meant to be; 1e-6 is added to the denominator; the
 * noise level, which the source leaves open, is SmoothGrad's. torch-cam 0.5 takes ReLU(g) of the last copy instead of D₁,
 * Σ_ab A_ab g³_ab instead of D₃ Σ_ab A_ab, and the last copy's activation instead of A in the map; we follow the paper in all three.
 */
export const smoothGradCamPlusPlus: Method = {
  name: "smooth-grad-cam-plus-plus",
  title: "Smooth Grad-CAM++",
  source: "Omeiza et al. 2019, arXiv 1908.01224",
  family: "gradient",
  rectify: true,
  usesTarget: true,
  usesGradient: true,
  yieldsWeights: true,
  needsInput: true,
  random: true,
  settings: { samples: SAMPLES, noise: NOISE, epsilon: EPSILON },
  unsupported: gradientUnsupported,
  async compute(context, classes) {
    return { weights: await smoothWeights(context, classes, SAMPLES, drawNoise(context)) };
  },
};

/** Adds noise to copy `at` of a row's input, in place. */
type AddNoise = (row: number, at: number, input: Float32Array) => void;

/** The channel weights [batch, C] under given noise. */
export async function smoothWeights(
  context: MethodContext,
  classes: readonly number[],
  samples: number,
  addNoise: AddNoise,
): Promise<Tensor> {
  const layer = await readActivation(context);
  const { activation, channels, cells } = layer;
  const size = channels * cells;
  const [first, second, third] = [0, 1, 2].map(() => new Float64Array(activation.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  await noisyGradients(context, classes, samples, addNoise, (row, _at, gradient) => {
    const from = row * size;
    for (let i = 0; i < size; i++) {
      const g = gradient[i];
      first[from + i] += g / samples;
      second[from + i] += g * g / samples;
      third[from + i] += g * g * g / samples;
    }
  });
  return channelWeights(layer, (from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += activation[i];
    let weight = 0;
    for (let i = from; i < to; i++) {
      // ReLU(D₁) = 0; a NaN is kept.
      if (first[i] <= 0) continue;
      weight += first[i] * second[i] / (2 * second[i] + sum * third[i] + EPSILON);
    }
    return weight;
  });
}

/**
 * Gradients at the target layer of noisy copies of each sample's input: `take` gets that of copy `at` of a row, [C, h, w], in a view that
 * does not outlive the call. Batches are filled across rows; padding costs nothing.
 */
export async function noisyGradients(
  context: MethodContext,
  classes: readonly number[],
  samples: number,
  addNoise: AddNoise,
  take: (row: number, at: number, gradient: Float32Array) => void,
): Promise<void> {
  const { classifier, forward, target, input } = context;
  const { score, cotangent } = cotangentOf(forward, target, classes);
  const { batch } = classifier;
  const count = cotangent.shape[1];
  const size = sizeOf(input.shape.slice(1));
  const total = forward.count * samples;
  for (let from = 0; from < total; from += batch) {
    const used = Math.min(batch, total - from);
    const inputs = new Float32Array(used * size);
    const cotangents = new Float32Array(batch * count);
    for (let i = 0; i < used; i++) {
      const row = Math.floor((from + i) / samples);
      const copy = inputs.subarray(i * size, (i + 1) * size);
      copy.set(input.data.subarray(row * size, (row + 1) * size));
      addNoise(row, (from + i) % samples, copy);
      cotangents.set(cotangent.data.subarray(row * count, (row + 1) * count), i * count);
    }
    const noisy = await classifier.forward(floats([used, ...input.shape.slice(1)], inputs));
    const found = await classifier.gradient(noisy, score, floats([batch, count], cotangents));
    try {
      const { data } = await readFloats(found.gradient);
      const cells = data.length / batch;
      for (let i = 0; i < used; i++) {
        const row = Math.floor((from + i) / samples);
        take(row, (from + i) % samples, data.subarray(i * cells, (i + 1) * cells));
      }
    } finally {
      release(found.gradient);
      release(found.mean);
      noisy.dispose();
    }
  }
}

/** Seeded noise, a separate stream for each copy of a row. */
function drawNoise({ rng }: MethodContext): AddNoise {
  return (row, at, input) => {
    let low = Infinity, high = -Infinity;
    for (const value of input) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const stream = rng("smooth-grad-cam-plus-plus", row).split(at);
    for (let i = 0; i < input.length; i++) input[i] += NOISE * (high - low) * stream.normal();
  };
}
