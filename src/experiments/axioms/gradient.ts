/**
 * Axiom: the gradient at the target layer is the slope of the score.
 *
 * @module
 */

import { createRng } from "../../base/rng.ts";
import { floats } from "../../base/tensor.ts";
import { readFloats } from "../../classifier/classifier.ts";
import { createContext, gradientUnsupported, scoreOf } from "../../methods/mod.ts";
import type { Axiom } from "./axiom.ts";

/** Step of the central differences, in root mean squares of the activation. */
const STEP = 1e-3;

/**
 * Median, over samples, of the relative difference between the directional derivative ⟨∂y/∂A, v⟩ and the central
 * difference of the score along v, through the head; v is a random direction. The median, because a step may cross a kink
 * of a ReLU or a pooling.
 */
export const gradient: Axiom = {
  name: "gradient",
  source: "finite differences of the score at the target layer; median relative difference",
  bound: { atMost: 1e-2 },
  // Every method that differentiates at the target layer shares the one gradient.
  applies: ({ name }) => name === "grad-cam",
  async check({ classifier, inputs, classes, keys, target, seed }) {
    const unsupported = gradientUnsupported(classifier, target);
    if (unsupported) return { skipped: unsupported };
    const forward = await classifier.forward(inputs);
    const context = createContext(classifier, forward, target, { seed, keys });
    try {
      const { channels, height, width } = classifier.layer;
      const size = channels * height * width;
      const activation = await readFloats(forward.activation);
      const padding = new Array<number>(classifier.batch - classes.length).fill(0);
      const slope = await readFloats((await context.gradient([...classes, ...padding])).gradient);
      const errors: number[] = [];
      for (const [row, k] of classes.entries()) {
        const rng = createRng(seed).split("gradient axiom").split(row);
        const own = activation.data.subarray(row * size, (row + 1) * size);
        const rms = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0) / size) || 1;
        const direction = Float64Array.from({ length: size }, () => rng.normal());
        const moved = new Float32Array(2 * size);
        let expected = 0, length = 0;
        direction.forEach((v, i) => {
          moved[i] = own[i]! + STEP * rms * v;
          moved[size + i] = own[i]! - STEP * rms * v;
          // The step that was taken, after rounding to single precision.
          const step = moved[i]! - moved[size + i]!;
          expected += slope.data[row * size + i]! * step;
          length += Math.abs(slope.data[row * size + i]! * step);
        });
        const scores = await classifier.evaluateHead(
          floats([2, channels, height, width], moved),
          forward,
          row,
        );
        const measured = scoreOf(scores, 0, k, target) - scoreOf(scores, 1, k, target);
        // Against the size of the terms' sum in quadrature, as the direction may happen to be level.
        errors.push(
          Math.abs(measured - expected) / Math.max(Math.abs(expected), length / Math.sqrt(size)),
        );
      }
      errors.sort((a, b) => a - b);
      return { value: errors[Math.floor(errors.length / 2)]! };
    } finally {
      context.dispose();
      forward.dispose();
    }
  },
};
