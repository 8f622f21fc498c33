/**
 * Smoothing by test-time augmentation.
 *
 * @module
 */

import { floats, rows, type Tensor } from "../../base/tensor.ts";
import type { Method, MethodContext } from "../method.ts";
import { finalMapsOf } from "./_final_maps.ts";
import { type Modifier, named } from "./modifier.ts";

/** Factors of the input, as the network sees it. */
const FACTORS = [0.9, 1, 1.1] as const;

/**
 * The mean of six final maps: of the input and its mirror image, each times 0.9, 1 and 1.1, with the maps of mirrored inputs mirrored
 * back. The explained class is that of the plain input. The mean is final: it is not normalised again, so its largest value can be
 * below 1.
 *
 * The factors act on the network's input, after means are subtracted. Costs six forward passes, which all methods of a run share,
 * and six times the method.
 *
 * Source: `aug_smooth` of pytorch-grad-cam 1.5.7.
 */
export const augSmooth: Modifier = {
  name: "aug-smooth",
  unsupported: () => undefined,
  apply: (method): Method => ({
    ...method,
    ...named(method, "aug-smooth", "augmented"),
    rectify: false,
    normalised: true,
    yieldsWeights: false,
    needsInput: true,
    grid: "input",
    async compute(context, classes) {
      const { classifier, forward: { count } } = context;
      const [, height, width] = classifier.inputShape;
      const mean = new Float64Array(classifier.batch * height * width);
      for (const mirrored of [false, true]) {
        for (const factor of FACTORS) {
          const maps = await finalMapsOf(
            method,
            await augmented(context, mirrored, factor),
            classes,
          );
          for (let i = 0; i < count * height * width; i++) {
            const x = i % width;
            const from = mirrored ? i - x + width - 1 - x : i;
            mean[i] += maps[from] / (2 * FACTORS.length);
          }
        }
      }
      return { map: floats([classifier.batch, height, width], Float32Array.from(mean)) };
    },
  }),
};

/** The context of the augmented inputs, made once for all methods. */
function augmented(
  context: MethodContext,
  mirrored: boolean,
  factor: number,
): MethodContext | Promise<MethodContext> {
  if (!mirrored && factor === 1) return context;
  const { classifier, forward: { count } } = context;
  return context.derive(`${mirrored ? "mirrored" : "plain"} times ${factor}`, async () => {
    const inputs = changed(rows(context.input, 0, count), mirrored, factor);
    return { classifier, forward: await classifier.forward(inputs) };
  });
}

/** Inputs [n, C, H, W] times a factor, mirrored left to right if asked. */
function changed({ shape, data }: Tensor, mirrored: boolean, factor: number): Tensor {
  const width = shape[3];
  const values = new Float32Array(data.length);
  for (let i = 0; i < values.length; i++) {
    const x = i % width;
    values[i] = factor * data[mirrored ? i - x + width - 1 - x : i];
  }
  return floats(shape, values);
}
