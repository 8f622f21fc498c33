/**
 * Pillow's `resize` to the last bit, on 8-bit images and in mode "F".
 *
 * @module
 */

import { frameOf, isEmpty, type Rect } from "./geometry.ts";
import { floatMap, requireSize, type RgbImage, rgbImage, type Size } from "./image.ts";

/** Pillow's antialiased filters. */
export type PillowFilter = "box" | "bilinear" | "hamming" | "bicubic" | "lanczos";

/** A filter's radius at scale 1, and its weight at a distance in source pixels (at scale 1). */
interface Filter {
  readonly support: number;
  weight(distance: number): number;
}

// Hamming's two constants are single-precision literals in Pillow.
const HAMMING_A = Math.fround(0.54), HAMMING_B = Math.fround(0.46);

function sinc(x: number): number {
  if (x === 0) return 1;
  return Math.sin(x * Math.PI) / (x * Math.PI);
}

const FILTERS: Readonly<Record<PillowFilter, Filter>> = {
  box: { support: 0.5, weight: (x) => x > -0.5 && x <= 0.5 ? 1 : 0 },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    weight(x) {
      x = Math.abs(x);
      if (x === 0) return 1;
      if (x >= 1) return 0;
      x *= Math.PI;
      return Math.sin(x) / x * (HAMMING_A + HAMMING_B * Math.cos(x));
    },
  },
  bicubic: {
    support: 2,
    weight(x) {
      const a = -0.5;
      x = Math.abs(x);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
      return 0;
    },
  },
  lanczos: { support: 3, weight: (x) => x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0 },
};

/** The source pixels of each output pixel on one axis and their weights: `weights[i * stride + t]` for source pixel `first[i] + t`. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly stride: number;
  readonly weights: Float64Array;
}

/**
 * Pillow's `precompute_coeffs`: the filter is widened by the scale when the image shrinks (antialiasing), cut off at the image's
 * edges and normalised to sum 1. `from` and `to` bound the part of the axis that is resampled; taps may reach beyond them, into
 * the image. Pillow holds the bounds in single precision.
 */
function tapsOf(size: number, from: number, to: number, outSize: number, filter: Filter): Taps {
  const start = Math.fround(from);
  const scale = Math.fround(Math.fround(to) - start) / outSize;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const inverse = 1 / filterScale;
  const first = new Int32Array(outSize), count = new Int32Array(outSize);
  const weights = new Float64Array(outSize * stride);
  for (let i = 0; i < outSize; i++) {
    const centre = start + (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - support + 0.5));
    const high = Math.min(size, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let t = 0; t < high - low; t++) {
      const weight = filter.weight((t + low - centre + 0.5) * inverse);
      weights[i * stride + t] = weight;
      sum += weight;
    }
    if (sum !== 0) { for (let t = 0; t < high - low; t++) weights[i * stride + t] /= sum; }
    first[i] = low;
    count[i] = high - low;
  }
  return { first, count, stride, weights };
}

/** What each pixel reads when a whole axis of `size` pixels is resized to `outSize`; a kept size reads itself. */
export function pillowTaps(size: number, outSize: number, filter: PillowFilter): Taps {
  return tapsOf(size, 0, size, outSize, FILTERS[size === outSize ? "box" : filter]);
}

/** Bits after the point of Pillow's fixed-point weights: 32 less 8 for the pixel and 2 for sums outside 0…1. */
const PRECISION_BITS = 32 - 8 - 2;
const HALF = 1 << (PRECISION_BITS - 1);

/** Weights as fixed-point numbers, rounded half away from zero. */
function fixedPoint(weights: Float64Array): Int32Array {
  const one = 1 << PRECISION_BITS;
  return Int32Array.from(weights, (w) => Math.trunc(w < 0 ? w * one - 0.5 : w * one + 0.5));
}

/** The rows or columns of the source that these taps read: [from, to). */
function reach(taps: Taps): [from: number, to: number] {
  const last = taps.first.length - 1;
  return [taps.first[0], taps.first[last] + taps.count[last]];
}

/** One axis-aligned resampling as two passes; shared by the 8-bit and the float form. */
interface Plan {
  /** `undefined` where the axis is kept as it is. */
  readonly x: Taps | undefined;
  readonly y: Taps | undefined;
  readonly verticalFirst: boolean;
}

function plan(
  source: Size,
  width: number,
  height: number,
  filter: PillowFilter,
  box: Rect,
  whole: Size,
): Plan {
  requireSize("a resized image", width, height);
  // Pillow holds the box in single precision, and decides with that.
  const x0 = Math.fround(box.x0), x1 = Math.fround(box.x1);
  const y0 = Math.fround(box.y0), y1 = Math.fround(box.y1);
  const inside = x0 >= 0 && y0 >= 0 && x1 <= source.width && y1 <= source.height;
  if (!inside || isEmpty({ x0, y0, x1, y1 })) {
    throw new RangeError(
      `Cannot resize the box ${box.x0},${box.y0},${box.x1},${box.y1} of an image of ` +
        `${source.width} x ${source.height} pixels: it is empty or reaches outside`,
    );
  }
  const needX = width !== source.width || x0 !== 0 || x1 !== width;
  const needY = height !== source.height || y0 !== 0 || y1 !== height;
  const shrink = whole.height - height;
  return {
    x: needX ? tapsOf(source.width, x0, x1, width, FILTERS[filter]) : undefined,
    y: needY ? tapsOf(source.height, y0, y1, height, FILTERS[filter]) : undefined,
    verticalFirst: shrink > 0 && shrink > 2 * (whole.width - width),
  };
}

/**
 * Resizes an image as `PIL.Image.resize((width, height), filter, box)` of Pillow 13.0.0 does, bit for bit.
 *
 * Each pass is a weighted sum over one axis with weights of 22 fixed-point bits, rounded and clipped to 0…255. The horizontal pass
 * comes first unless the height shrinks by more than twice as many pixels as the width (older Pillow releases are always
 * horizontal first; the other order differs by up to a dozen levels on photos).
 *
 * @param box The part of the source that becomes the whole result, in continuous pixel coordinates; the filter reads image pixels
 * beyond it. Default: everything.
 * @param whole The size that decides the order of the passes, where the image is only the part of a larger one that is read.
 * @throws {RangeError} when a size is not a positive whole number, or the box is empty or reaches outside the image.
 */
export function resizePillow(
  image: RgbImage,
  width: number,
  height: number,
  filter: PillowFilter,
  box: Rect = frameOf(image),
  whole: Size = image,
): RgbImage {
  const { x, y, verticalFirst } = plan(image, width, height, filter, box, whole);
  let { data } = image;
  if (!x && !y) return rgbImage(width, height, data.slice());
  if (!x) return rgbImage(width, height, vertical8(data, image.width * 3, y!, 0, image.width * 3));
  if (verticalFirst && y) {
    const [from, to] = reach(x);
    data = vertical8(data, image.width * 3, y, from * 3, to * 3);
    return rgbImage(width, height, horizontal8(data, to - from, x, from, 0, height));
  }
  const [from, to] = y ? reach(y) : [0, image.height];
  data = horizontal8(data, image.width, x, 0, from, to);
  if (!y) return rgbImage(width, height, data);
  const moved = { ...y, first: y.first.map((row) => row - from) };
  return rgbImage(width, height, vertical8(data, width * 3, moved, 0, width * 3));
}

/** Rows `top` … `bottom` - 1 of an RGB image `width` pixels wide, resampled along x. `skipped` columns are missing on its left. */
function horizontal8(
  data: Uint8Array,
  width: number,
  { first, count, stride, weights }: Taps,
  skipped: number,
  top: number,
  bottom: number,
): Uint8Array {
  const outWidth = first.length;
  const fixed = fixedPoint(weights);
  const out = new Uint8Array(outWidth * (bottom - top) * 3);
  let o = 0;
  for (let row = top; row < bottom; row++) {
    const start = (row * width - skipped) * 3;
    for (let i = 0; i < outWidth; i++) {
      let red = HALF, green = HALF, blue = HALF;
      let p = start + first[i] * 3;
      const end = i * stride + count[i];
      for (let k = i * stride; k < end; k++, p += 3) {
        const weight = fixed[k];
        red = (red + Math.imul(data[p], weight)) | 0;
        green = (green + Math.imul(data[p + 1], weight)) | 0;
        blue = (blue + Math.imul(data[p + 2], weight)) | 0;
      }
      out[o++] = clip8(red);
      out[o++] = clip8(green);
      out[o++] = clip8(blue);
    }
  }
  return out;
}

/** Columns `left` … `right` - 1 (bytes within a row of `rowLength`) resampled along y. */
function vertical8(
  data: Uint8Array,
  rowLength: number,
  { first, count, stride, weights }: Taps,
  left: number,
  right: number,
): Uint8Array {
  const outHeight = first.length, outLength = right - left;
  const fixed = fixedPoint(weights);
  const out = new Uint8Array(outLength * outHeight);
  const sums = new Int32Array(outLength);
  for (let row = 0; row < outHeight; row++) {
    sums.fill(HALF);
    let p = first[row] * rowLength + left;
    let k = row * stride;
    const end = k + count[row];
    // Whole source rows at a time, four together: sums of integers do not depend on the order.
    for (; k + 4 <= end; k += 4, p += 4 * rowLength) {
      const k0 = fixed[k], k1 = fixed[k + 1], k2 = fixed[k + 2], k3 = fixed[k + 3];
      const p1 = p + rowLength, p2 = p1 + rowLength, p3 = p2 + rowLength;
      for (let i = 0; i < outLength; i++) {
        sums[i] += Math.imul(data[p + i], k0) + Math.imul(data[p1 + i], k1) +
          Math.imul(data[p2 + i], k2) + Math.imul(data[p3 + i], k3);
      }
    }
    for (; k < end; k++, p += rowLength) {
      const weight = fixed[k];
      for (let i = 0; i < outLength; i++) sums[i] += Math.imul(data[p + i], weight);
    }
    const o = row * outLength;
    for (let i = 0; i < outLength; i++) out[o + i] = clip8(sums[i]);
  }
  return out;
}

function clip8(sum: number): number {
  const value = sum >> PRECISION_BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/**
 * Resizes a map of real numbers as Pillow does in mode "F": the same filters and pass order as {@link resizePillow}, weights and sums in
 * double precision, each pass rounded to single precision. A bicubic or Lanczos result can leave the range of the values.
 *
 * @param data `height * width` values, row by row.
 * @returns `outHeight * outWidth` values. NaN spreads to every pixel whose filter touches it.
 * @throws {RangeError} when the sizes do not fit.
 */
export function resizePillowFloat(
  data: Float32Array,
  width: number,
  height: number,
  outWidth: number,
  outHeight: number,
  filter: PillowFilter,
): Float32Array {
  const source = floatMap(width, height, data);
  const { x, y, verticalFirst } = plan(
    source,
    outWidth,
    outHeight,
    filter,
    frameOf(source),
    source,
  );
  if (verticalFirst) {
    const tall = y ? verticalFloat(data, width, y) : data;
    return x ? horizontalFloat(tall, width, outHeight, x) : tall.slice();
  }
  const wide = x ? horizontalFloat(data, width, height, x) : data;
  return y ? verticalFloat(wide, outWidth, y) : wide.slice();
}

function horizontalFloat(data: Float32Array, width: number, height: number, taps: Taps) {
  const { first, count, stride, weights } = taps;
  const outWidth = first.length;
  const out = new Float32Array(outWidth * height);
  for (let row = 0, o = 0; row < height; row++) {
    for (let i = 0; i < outWidth; i++, o++) {
      let sum = 0;
      let p = row * width + first[i];
      const end = i * stride + count[i];
      for (let k = i * stride; k < end; k++) sum += data[p++] * weights[k];
      out[o] = sum;
    }
  }
  return out;
}

function verticalFloat(data: Float32Array, width: number, taps: Taps) {
  const { first, count, stride, weights } = taps;
  const outHeight = first.length;
  const out = new Float32Array(width * outHeight);
  const sums = new Float64Array(width);
  for (let row = 0; row < outHeight; row++) {
    sums.fill(0);
    for (let t = 0; t < count[row]; t++) {
      const weight = weights[row * stride + t], p = (first[row] + t) * width;
      for (let i = 0; i < width; i++) sums[i] += data[p + i] * weight;
    }
    out.set(sums, row * width);
  }
  return out;
}
