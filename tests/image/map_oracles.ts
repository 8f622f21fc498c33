/** Maps resized and letterboxed as whole pictures, the long way: what the box weights of the paper are compared with. */

import { type Coordinates, resizeBilinear } from "../../src/image/bilinear.ts";
import { type FloatMap, floatMap } from "../../src/image/image.ts";
import { paperLetterbox } from "../../src/image/letterbox.ts";
import { resizePillowFloat } from "../../src/image/pillow.ts";

/** {@linkcode resizeBilinear} of a map: one of three equal planes. NaN spreads to the pixels that weigh it, even by 0. */
export function resizeMapBilinear(
  map: FloatMap,
  width: number,
  height: number,
  coordinates: Coordinates,
): FloatMap {
  const planes = new Float32Array(map.data.length * 3);
  for (let i = 0; i < planes.length; i++) planes[i] = map.data[Math.floor(i / 3)];
  const { data } = resizeBilinear({ ...map, data: planes }, width, height, coordinates);
  return floatMap(width, height, data.filter((_, i) => i % 3 === 0));
}

/**
 * A map in the paper's letterbox: Pillow's bicubic filter in mode "F", bars of 0. Values can leave the range of the map a little, as
 * the bicubic filter overshoots.
 *
 * @throws {ImageError} as {@link paperLetterbox}.
 */
export function letterboxMap(map: FloatMap, frameWidth: number, frameHeight: number): FloatMap {
  const { width, height, left, top } = paperLetterbox(map, frameWidth, frameHeight);
  const inner = resizePillowFloat(map.data, map.width, map.height, width, height, "bicubic");
  const out = floatMap(frameWidth, frameHeight);
  for (let y = 0; y < height; y++) {
    out.data.set(inner.subarray(y * width, (y + 1) * width), (top + y) * frameWidth + left);
  }
  return out;
}
