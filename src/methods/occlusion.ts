/**
 * Occlusion sensitivity.
 *
 * @module
 */

import { floats } from "../base/tensor.ts";
import { scoresOf } from "./_channel_weights.ts";
import { changedInputScores } from "./_masked_inputs.ts";
import { perSample } from "./_per_sample.ts";
import { type Method, targetUnsupported } from "./method.ts";

/** Sides of the patch and of its steps, as parts of the input's sides. */
const settings = { window: 1 / 6, stride: 1 / 18, fill: "mean" };

/** Where patches begin along an axis: every `stride` pixels, the last one at the end. */
interface Patches {
  readonly starts: readonly number[];
  readonly window: number;
}

/** The patches along an axis of `extent` pixels. */
export function patchesAlong(extent: number): Patches {
  const window = Math.max(1, Math.round(extent * settings.window));
  const stride = Math.max(1, Math.round(extent * settings.stride));
  const starts: number[] = [];
  for (let start = 0; start < extent - window; start += stride) starts.push(start);
  starts.push(extent - window);
  return { starts, window };
}

/** Scores of the input as it is (row 0), and under each patch, row by row from the top left. */
const occludedScores = perSample((context, row) => {
  const [channels, height, width] = context.classifier.inputShape;
  const rows = patchesAlong(height), columns = patchesAlong(width);
  const size = height * width;
  const means = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    const from = (row * channels + c) * size;
    for (let p = 0; p < size; p++) means[c] += context.input.data[from + p] / size;
  }
  const count = 1 + rows.starts.length * columns.starts.length;
  return changedInputScores(context, row, count, (i, copy, values) => {
    copy.set(values);
    if (i === 0) return;
    const top = rows.starts[Math.floor((i - 1) / columns.starts.length)];
    const left = columns.starts[(i - 1) % columns.starts.length];
    for (let c = 0; c < channels; c++) {
      for (let y = top; y < top + rows.window; y++) {
        const from = (c * height + y) * width + left;
        copy.fill(means[c], from, from + columns.window);
      }
    }
  });
});

/**
 * Occlusion sensitivity: how much the score falls when a patch of the input is covered; a pixel's value is the mean of the falls,
 * y_c(X) − y_c(X without the patch), of the patches that cover it.
 *
 * The patch is a sixth of the input in height and width, rounded to pixels, and moves by a third of itself, so that about 256 patches
 * cover an input; the last ones of a row or column end at the border. It is filled with each colour's mean over the sample as the
 * model sees it. The paper's is grey, which means different values for different models' scaling. Where covering raises the score
 * the value is negative, and set to 0 before normalisation.
 *
 * Costs a pass of the whole model for each patch. Needs no gradient and no layer.
 *
 * Source: Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks" (ECCV 2014, arXiv 1311.2901), section 4.2. The mean
 * over patches is captum's `Occlusion`; the paper shows the score at the patch's place.
 */
export const occlusion: Method = {
  name: "occlusion",
  title: "Occlusion sensitivity",
  source: "Zeiler & Fergus 2014, arXiv 1311.2901, section 4.2",
  family: "perturbation",
  rectify: true,
  usesTarget: true,
  needsInput: true,
  grid: "input",
  settings,
  unsupported: targetUnsupported,
  async compute(context, classes) {
    const [, height, width] = context.classifier.inputShape;
    const rows = patchesAlong(height), columns = patchesAlong(width);
    const size = height * width;
    const map = new Float32Array(classes.length * size);
    for (let row = 0; row < context.forward.count; row++) {
      const [whole, ...covered] = scoresOf(
        context,
        row,
        classes[row],
        await occludedScores(context, row),
      );
      const falls = new Float64Array(size), counts = new Uint32Array(size);
      rows.starts.forEach((top, a) =>
        columns.starts.forEach((left, b) => {
          const fall = whole! - covered[a * columns.starts.length + b];
          for (let y = top; y < top + rows.window; y++) {
            for (let x = left; x < left + columns.window; x++) {
              falls[y * width + x] += fall;
              counts[y * width + x]++;
            }
          }
        })
      );
      for (let p = 0; p < size; p++) map[row * size + p] = falls[p] / counts[p];
    }
    return { map: floats([classes.length, height, width], map) };
  },
};
