/**
 * Plain bilinear interpolation with either placement of the pixel centres.
 *
 * @module
 */

import { type FloatImage, type FloatMap, floatMap, requireSize, type RgbImage } from "./image.ts";

/** Where the pixel centres of a bilinear resize lie; see {@link resizeBilinear}. */
export type Coordinates = "asymmetric" | "half-pixel";

/**
 * Bilinear interpolation at the pixel centres of the result, without antialiasing (shrinking by more than 2 skips pixels).
 *
 * - "half-pixel": x = (i + 0.5) * w / width - 0.5, clamped to the outermost centres: `cv2.resize(INTER_LINEAR)`,
 *   PyTorch's `align_corners=False`.
 * - "asymmetric": x = i * w / width, clamped likewise: TensorFlow.js' `resizeBilinear` with `alignCorners` and `halfPixelCenters` false.
 *
 * Computed in double precision and rounded once, to single precision; not rounded to whole levels.
 *
 * @throws {RangeError} when a size is not a positive whole number.
 */
export function resizeBilinear(
  image: RgbImage | FloatImage,
  width: number,
  height: number,
  coordinates: Coordinates,
): FloatImage {
  return { width, height, data: bilinear(image, 3, width, height, coordinates) };
}

/** {@link resizeBilinear} of a map: one value a pixel. NaN spreads to the pixels that weigh it, even by 0. */
export function resizeMapBilinear(
  map: FloatMap,
  width: number,
  height: number,
  coordinates: Coordinates,
): FloatMap {
  return floatMap(width, height, bilinear(map, 1, width, height, coordinates));
}

/** The two neighbours of each output pixel on one axis and the weight of the second. */
function neighbours(size: number, outSize: number, coordinates: Coordinates) {
  const low = new Int32Array(outSize), high = new Int32Array(outSize);
  const fraction = new Float64Array(outSize);
  const scale = size / outSize;
  for (let i = 0; i < outSize; i++) {
    const at = coordinates === "half-pixel" ? (i + 0.5) * scale - 0.5 : i * scale;
    const clamped = Math.min(Math.max(at, 0), size - 1);
    low[i] = Math.floor(clamped);
    high[i] = Math.min(low[i] + 1, size - 1);
    fraction[i] = clamped - low[i];
  }
  return { low, high, fraction };
}

function bilinear(
  source: RgbImage | FloatImage | FloatMap,
  channels: number,
  width: number,
  height: number,
  coordinates: Coordinates,
): Float32Array {
  requireSize("a resized image", width, height);
  const { data } = source;
  const x = neighbours(source.width, width, coordinates);
  const y = neighbours(source.height, height, coordinates);
  const out = new Float32Array(width * height * channels);
  for (let row = 0, o = 0; row < height; row++) {
    const above = y.low[row] * source.width, below = y.high[row] * source.width;
    const v = y.fraction[row];
    for (let i = 0; i < width; i++) {
      const u = x.fraction[i], left = x.low[i], right = x.high[i];
      for (let c = 0; c < channels; c++, o++) {
        const topLeft = data[(above + left) * channels + c];
        const bottomLeft = data[(below + left) * channels + c];
        const top = topLeft + (data[(above + right) * channels + c] - topLeft) * u;
        const bottom = bottomLeft + (data[(below + right) * channels + c] - bottomLeft) * u;
        out[o] = top + (bottom - top) * v;
      }
    }
  }
  return out;
}
