/**
 * The plain way to score boxes, as CAM tools have it: every map at full size, then the mean over each box's pixels. The peer
 * of the kernels that score boxes on the low-resolution map.
 *
 * @module
 */

import type { Compute } from "../src/gpu/compute.ts";
import { finalMaps, type Frame, type MapBatch, type ScoreBox } from "../src/kernels/box_scores.ts";

/** The mean of the final map over the whole pixels of each box; NaN for a box without one. */
export async function pixelByPixel(
  compute: Compute,
  batch: MapBatch,
  frame: Frame,
  boxes: readonly ScoreBox[],
): Promise<Float32Array> {
  const { width, height } = frame;
  const full = await finalMaps(compute, batch, frame);
  return Float32Array.from(boxes, ({ map, rect }) => {
    const start = map * width * height;
    const x0 = Math.max(0, Math.trunc(rect.x0)), x1 = Math.min(width, Math.trunc(rect.x1));
    const y0 = Math.max(0, Math.trunc(rect.y0)), y1 = Math.min(height, Math.trunc(rect.y1));
    let sum = 0;
    for (let y = y0; y < y1; y++) {
      for (let x = x0; x < x1; x++) sum += full[start + y * width + x]!;
    }
    return sum / ((x1 - x0) * (y1 - y0));
  });
}
