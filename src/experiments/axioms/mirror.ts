/**
 * Axiom: a mirrored picture has the mirrored map.
 *
 * @module
 */

import { floats, type Tensor } from "../../base/tensor.ts";
import { mapsOf, sampleOf } from "../../attribution/maps.ts";
import { byPlacement, meanOverSamples, plainMaps } from "../sample_maps.ts";
import type { Axiom } from "./axiom.ts";
import { plainPearson } from "../../statistics/correlation.ts";

/**
 * Mean correlation, over samples, between the final map of the mirrored input and the mirrored final map. A network that
 * was trained on mirrored pictures should explain them alike; a map that stays where it was shows the network's padding and
 * position, not the picture, or is drawn in the wrong place. Samples whose map is constant are left out.
 */
export const mirror: Axiom = {
  name: "mirror",
  source: "equivariance under reflection; mean correlation over samples",
  bound: { atLeast: 0.9 },
  // What ignores the picture has nothing to mirror.
  applies: ({ ignores }) => !ignores?.includes("picture"),
  async check(context, method) {
    const [, height, width] = context.classifier.inputShape;
    const plain = await plainMaps(context, method);
    const flipped = await mapsOf(context, method, { ...context, inputs: flip(context.inputs) });
    return await byPlacement(context, method, async (finalOf) => {
      const own = await finalOf(plain), others = await finalOf(flipped);
      return meanOverSamples(
        context.classes.map((_, i) => [
          flipRows(sampleOf(own, plain.samples, i), height, width),
          sampleOf(others, flipped.samples, i),
        ]),
        plainPearson,
      );
    });
  },
};

/** Inputs [n, C, H, W] mirrored left to right. */
export function flip(inputs: Tensor): Tensor {
  const [n, channels, height, width] = inputs.shape as [number, number, number, number];
  return floats(inputs.shape, flipRows(inputs.data, n * channels * height, width));
}

function flipRows(values: Float32Array, rows: number, width: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let x = 0; x < width; x++) out[row * width + x] = values[row * width + width - 1 - x];
  }
  return out;
}
