/**
 * Plain bilinear interpolation with either placement of the pixel centres.
 *
 * @module
 */

import { type FloatImage, requireSize, type RgbImage } from "./image.ts";

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
  requireSize("a resized image", width, height);
  const x = neighbours(image.width, width, coordinates);
  const y = neighbours(image.height, height, coordinates);
  const out = new Float32Array(width * height * 3);
  // Rows of the source, already interpolated along x; enlarging uses each of them for several rows of the result.
  let above = new Float64Array(width * 3), below = new Float64Array(width * 3);
  let aboveRow = -1, belowRow = -1;
  for (let row = 0; row < height; row++) {
    const low = y.low[row], high = y.high[row];
    if (low === belowRow) {
      [above, below] = [below, above];
      [aboveRow, belowRow] = [belowRow, aboveRow];
    }
    if (low !== aboveRow) interpolateRow(image, low, x, above);
    aboveRow = low;
    if (high !== belowRow) interpolateRow(image, high, x, below);
    belowRow = high;
    blend(above, below, y.fraction[row], out, row * width * 3);
  }
  return { width, height, data: out };
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

/** One row of the source interpolated along x, in double precision. */
function interpolateRow(
  { data, width }: RgbImage | FloatImage,
  row: number,
  { low, high, fraction }: ReturnType<typeof neighbours>,
  out: Float64Array,
): void {
  const start = row * width * 3;
  for (let i = 0, o = 0; i < fraction.length; i++, o += 3) {
    const u = fraction[i], left = start + low[i] * 3, right = start + high[i] * 3;
    const red = data[left], green = data[left + 1], blue = data[left + 2];
    out[o] = red + (data[right] - red) * u;
    out[o + 1] = green + (data[right + 1] - green) * u;
    out[o + 2] = blue + (data[right + 2] - blue) * u;
  }
}

/** Two rows interpolated along y, into the result from `start` on. */
function blend(
  above: Float64Array,
  below: Float64Array,
  v: number,
  out: Float32Array,
  start: number,
): void {
  for (let i = 0; i < above.length; i++) {
    const top = above[i];
    out[start + i] = top + (below[i] - top) * v;
  }
}
