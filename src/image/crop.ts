/**
 * Parts of an image, also where they reach over its edge: whole-pixel crops, resampled fractional rectangles, squares.
 *
 * @module
 */

import { frameOf, intersect, isEmpty, type Rect, roundOut, union } from "./geometry.ts";
import { type FloatImage, requireSize, type RgbImage, rgbImage } from "./image.ts";
import { type PillowFilter, resizePillow } from "./pillow.ts";

/**
 * The pixels [x0, x1) × [y0, y1) of an image; what lies outside it is black.
 *
 * @param x0 First column, a whole number; may be negative. Likewise `y0`.
 * @param x1 Column after the last, a whole number; may be over the width. Likewise `y1`.
 * @throws {RangeError} when a corner is not a whole number or the crop is empty.
 */
export function crop(image: RgbImage, x0: number, y0: number, x1: number, y1: number): RgbImage;
/** The same of an image of real numbers. */
export function crop(
  image: RgbImage | FloatImage,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): RgbImage | FloatImage;
export function crop(
  image: RgbImage | FloatImage,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): RgbImage | FloatImage {
  const width = x1 - x0, height = y1 - y0;
  if (![x0, y0, x1, y1].every(Number.isSafeInteger) || width < 1 || height < 1) {
    throw new RangeError(
      `Cannot crop to ${x0},${y0},${x1},${y1}; corners are whole numbers with x0 < x1, y0 < y1`,
    );
  }
  const out = image.data instanceof Float32Array
    ? { width, height, data: new Float32Array(width * height * 3) }
    : rgbImage(width, height);
  const part = intersect({ x0, y0, x1, y1 }, frameOf(image));
  if (isEmpty(part)) return out;
  for (let y = part.y0; y < part.y1; y++) {
    const from = (y * image.width + part.x0) * 3;
    const to = (y * image.width + part.x1) * 3;
    out.data.set(image.data.subarray(from, to), ((y - y0) * width + part.x0 - x0) * 3);
  }
  return out;
}

/**
 * Resamples a rectangle of an image to `width` × `height` pixels with one of Pillow's antialiased filters.
 *
 * A rectangle inside the image is `image.resize((width, height), filter, box)` of Pillow, bit for bit: the filter reads pixels
 * around the rectangle too. One that reaches over an edge is the same on a copy of the image widened with black to the whole pixels
 * the rectangle covers; of that copy only the part the filter reads is made, so a small part of a large image is cheap.
 *
 * @param rect Continuous image pixels; may lie outside the image altogether (the result is black but for what the filter reaches).
 * @throws {RangeError} when the rectangle is empty or not finite, or a size is not a positive whole number.
 */
export function cropResize(
  image: RgbImage,
  rect: Rect,
  width: number,
  height: number,
  filter: PillowFilter,
): RgbImage {
  const { x0, y0, x1, y1 } = rect;
  if (isEmpty(rect) || ![x0, y0, x1, y1].every(Number.isFinite)) {
    throw new RangeError(`Cannot crop to ${x0},${y0},${x1},${y1}: the rectangle is empty`);
  }
  requireSize("a crop", width, height);
  const frame = frameOf(image), covered = roundOut(rect);
  const canvas = union(frame, covered);
  if (
    canvas.x0 === 0 && canvas.y0 === 0 && canvas.x1 === image.width && canvas.y1 === image.height
  ) {
    return resizePillow(image, width, height, filter, rect);
  }
  // No filter's radius is over 3 source pixels times the scale.
  const marginX = 1 + 3 * Math.max(1, (rect.x1 - rect.x0) / width);
  const marginY = 1 + 3 * Math.max(1, (rect.y1 - rect.y0) / height);
  const read = intersect(
    canvas,
    roundOut({
      x0: rect.x0 - marginX,
      y0: rect.y0 - marginY,
      x1: rect.x1 + marginX,
      y1: rect.y1 + marginY,
    }),
  );
  if (isEmpty(intersect(read, frame))) return rgbImage(width, height);
  const part = crop(image, read.x0, read.y0, read.x1, read.y1);
  const box = {
    x0: rect.x0 - read.x0,
    y0: rect.y0 - read.y0,
    x1: rect.x1 - read.x0,
    y1: rect.y1 - read.y0,
  };
  const whole = { width: canvas.x1 - canvas.x0, height: canvas.y1 - canvas.y0 };
  return resizePillow(part, width, height, filter, box, whole);
}

/**
 * Widens the shorter side with black until the image is square; a square image is given back as it is.
 *
 * @param side "end": the image stays at the top left. "centre": in the middle, and of an odd difference the smaller half is in front.
 */
export function padToSquare(image: RgbImage, side: "end" | "centre"): RgbImage {
  const size = Math.max(image.width, image.height);
  if (image.width === image.height) return image;
  const left = side === "centre" ? Math.floor((size - image.width) / 2) : 0;
  const top = side === "centre" ? Math.floor((size - image.height) / 2) : 0;
  return crop(image, 0 - left, 0 - top, size - left, size - top);
}
