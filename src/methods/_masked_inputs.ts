/**
 * Scores of an input under masks of its pixels, and masks that are activations enlarged to the input.
 *
 * @module
 */

import { floats } from "../base/tensor.ts";
import { joinScores, type Scores } from "../classifier/evaluate.ts";
import { upsampleBilinear } from "../kernels/upsample_bilinear.ts";
import type { MethodContext } from "./method.ts";

/**
 * The scores of M changed copies of one row's input, a batch of them at a time: the only large memory is that of one batch.
 *
 * @param change writes all of the i-th copy into `copy` [C · H · W], from the input's values
 */
export async function changedInputScores(
  { classifier, input }: MethodContext,
  row: number,
  count: number,
  change: (i: number, copy: Float32Array, values: Float32Array) => void,
): Promise<Scores> {
  const { batch, inputShape } = classifier;
  const size = inputShape[0] * inputShape[1] * inputShape[2];
  const values = input.data.subarray(row * size, (row + 1) * size);
  const scores: Scores[] = [];
  const memory = new Float32Array(batch * size);
  for (let from = 0; from < count; from += batch) {
    const some = Math.min(batch, count - from);
    const copies = memory.subarray(0, some * size);
    for (let i = 0; i < some; i++) {
      change(from + i, copies.subarray(i * size, (i + 1) * size), values);
    }
    scores.push(await classifier.evaluate(floats([some, ...inputShape], copies)));
  }
  return joinScores(scores);
}

/** copy = values · mask, the same mask for all colours. */
export function multiply(copy: Float32Array, values: Float32Array, mask: Float32Array): void {
  for (let from = 0; from < values.length; from += mask.length) {
    for (let i = 0; i < mask.length; i++) copy[from + i] = values[from + i] * mask[i];
  }
}

/** How a grid of cells is laid over the pixels: cell centres in the middle of their share, or the outer ones at the corners. */
export type Corners = "half-pixel" | "aligned";

/** Enlarges a map [height, width] to [outHeight, outWidth], bilinearly. */
export function enlarge(
  map: Float32Array,
  [height, width]: readonly [number, number],
  [outHeight, outWidth]: readonly [number, number],
  corners: Corners,
): Float32Array {
  const scale = (cells: number, pixels: number) =>
    corners === "aligned" ? (pixels > 1 ? (cells - 1) / (pixels - 1) : 0) : cells / pixels;
  const scaleY = scale(height, outHeight), scaleX = scale(width, outWidth);
  const result = new Float32Array(outHeight * outWidth);
  upsampleBilinear.cpu(
    {
      maps: 1,
      height,
      width,
      outHeight,
      outWidth,
      scaleY,
      offsetY: corners === "aligned" ? -scaleY / 2 : -0.5,
      scaleX,
      offsetX: corners === "aligned" ? -scaleX / 2 : -0.5,
    },
    map,
    result,
  );
  return result;
}

/** Scales a map in place to 0..1: (x − min) / (max − min + ε), so that a constant one becomes 0. */
export function stretch(map: Float32Array, epsilon = 1e-8): Float32Array {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < map.length; i++) {
    low = Math.min(low, map[i]);
    high = Math.max(high, map[i]);
  }
  const range = high - low + epsilon;
  for (let i = 0; i < map.length; i++) map[i] = (map[i] - low) / range;
  return map;
}
