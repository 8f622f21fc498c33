/**
 * Axiom: scores under channel masks are those of the head on the masked activation.
 *
 * @module
 */

import { floats } from "../../base/tensor.ts";
import { maskedScores } from "../../classifier/channel_masks.ts";
import { readFloats } from "../../classifier/values.ts";
import { scoreFunction } from "../../methods/mod.ts";
import type { Axiom } from "./axiom.ts";

/** Channels that are tried at most; all of them would be what the shortcut saves. */
const CHANNELS = 32;

/**
 * Largest difference between the score with a channel set to 0 as the perturbation methods compute it (by sums of
 * contributions where the graph allows it) and as the head gives it on the masked activation, as a part of the range of
 * these scores.
 */
export const masks: Axiom = {
  name: "masks",
  source: "brute force: the head on masked activations; largest difference of the scores' range",
  bound: { atMost: 1e-4 },
  // A modified method has the masks of the one that it was made from.
  applies: ({ base, usesMasks }) => base === undefined && usesMasks === true,
  async check({ classifier, inputs, classes, target }) {
    const forward = await classifier.forward(inputs);
    try {
      const { channels, height, width } = classifier.layer;
      const count = Math.min(channels, CHANNELS);
      const cells = height * width;
      const activation = await readFloats(forward.activation);
      let largest = 0;
      for (const [row, k] of classes.entries()) {
        const mask = new Uint8Array(count * channels).fill(1);
        const masked = new Float32Array(count * channels * cells);
        const own = activation.data.subarray(row * channels * cells, (row + 1) * channels * cells);
        for (let m = 0; m < count; m++) {
          const channel = Math.floor((m * channels) / count);
          mask[m * channels + channel] = 0;
          masked.set(own, m * channels * cells);
          const from = (m * channels + channel) * cells;
          masked.fill(0, from, from + cells);
        }
        const quick = await maskedScores(classifier, forward, row, mask);
        const slow = await classifier.evaluateHead(
          floats([count, channels, height, width], masked),
          forward,
          row,
        );
        const score = scoreFunction({ forward, target }, row, k);
        const scores = Array.from({ length: count }, (_, m) => score(slow, m));
        const range = Math.max(...scores) - Math.min(...scores);
        scores.forEach((expected, m) => {
          const off = Math.abs(score(quick, m) - expected);
          if (off > 0) largest = Math.max(largest, off / range);
        });
      }
      return { value: largest };
    } finally {
      forward.dispose();
    }
  },
};
