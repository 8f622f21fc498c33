/**
 * Letterboxes: the image shrunk or enlarged into a frame with its aspect ratio kept, and bars beside it. Two conventions, as the
 * box coordinates and the heat maps of a detector only fit when its own is used.
 *
 * @module
 */

import { ImageError } from "../base/errors.ts";
import type { Placement } from "./geometry.ts";
import { requireSize, type RgbImage, rgbImage, type Size } from "./image.ts";
import { resizePillow } from "./pillow.ts";

/** Where an image lies in its letterbox, in whole pixels. */
export interface LetterboxGeometry {
  /** The frame. */
  readonly frameWidth: number;
  readonly frameHeight: number;
  /** The resized image in it. */
  readonly width: number;
  readonly height: number;
  /** Its first column and row. */
  readonly left: number;
  readonly top: number;
}

/**
 * The letterbox of EmoCAM's reference code: the side that needs the smaller factor fills the frame; the other is cut to a whole
 * number (computed as `(frame / side) * other` in double precision: rounding can lose one pixel against the exact quotient),
 * and bars are half the difference, the smaller half in front.
 *
 * @throws {ImageError} when the shorter side would be 0 pixels (the reference raises there too).
 */
export function paperLetterbox(image: Size, frameWidth: number, frameHeight: number) {
  requireSize("a letterbox", frameWidth, frameHeight);
  const wide = frameWidth / image.width <= frameHeight / image.height;
  const width = wide ? frameWidth : Math.trunc((frameHeight / image.height) * image.width);
  const height = wide ? Math.trunc((frameWidth / image.width) * image.height) : frameHeight;
  return placed(image, frameWidth, frameHeight, width, height, 1);
}

/**
 * Darknet's letterbox (`letterbox_image`): ratios compared in single precision, the other side by integer division.
 *
 * Departs from Darknet: refuses images whose shorter side would be under 2 pixels, where Darknet divides by zero (NaN) or
 * leaves the frame empty.
 *
 * @throws {ImageError} for those.
 */
export function darknetLetterbox(image: Size, frameWidth: number, frameHeight: number) {
  requireSize("a letterbox", frameWidth, frameHeight);
  const wide = Math.fround(frameWidth / image.width) < Math.fround(frameHeight / image.height);
  const width = wide ? frameWidth : Math.floor(image.width * frameHeight / image.height);
  const height = wide ? Math.floor(image.height * frameWidth / image.width) : frameHeight;
  return placed(image, frameWidth, frameHeight, width, height, 2);
}

function placed(
  image: Size,
  frameWidth: number,
  frameHeight: number,
  width: number,
  height: number,
  least: number,
): LetterboxGeometry {
  if (Math.min(width, height) < least) {
    throw new ImageError(
      `Cannot letterbox an image of ${image.width} x ${image.height} pixels into ` +
        `${frameWidth} x ${frameHeight}: its shorter side would be ${Math.min(width, height)} ` +
        `pixels; leave so narrow an image out`,
    );
  }
  const left = Math.floor((frameWidth - width) / 2), top = Math.floor((frameHeight - height) / 2);
  return { frameWidth, frameHeight, width, height, left, top };
}

/** Continuous pixels of the image → continuous pixels of the frame, as the pixels are pasted. */
export function letterboxPlacement(image: Size, geometry: LetterboxGeometry): Placement {
  return {
    x: { scale: geometry.width / image.width, offset: geometry.left },
    y: { scale: geometry.height / image.height, offset: geometry.top },
  };
}

/**
 * An image in the paper's letterbox: Pillow's bicubic filter on 8-bit pixels, black bars.
 *
 * @throws {ImageError} as {@link paperLetterbox}.
 */
export function letterbox(image: RgbImage, frameWidth: number, frameHeight: number): RgbImage {
  const { width, height, left, top } = paperLetterbox(image, frameWidth, frameHeight);
  const inner = resizePillow(image, width, height, "bicubic");
  const out = rgbImage(frameWidth, frameHeight);
  for (let y = 0; y < height; y++) {
    out.data.set(
      inner.data.subarray(y * width * 3, (y + 1) * width * 3),
      ((top + y) * frameWidth + left) * 3,
    );
  }
  return out;
}

/**
 * An image in Darknet's letterbox as the network's input: planes [3, frameHeight, frameWidth], red, green, blue, 0…1, bars of 0.5.
 *
 * Darknet's own bilinear resize: corners on corners, no antialiasing, every operation rounded to single precision in
 * its order, so that the values are Darknet's to the last bit; also where rounding makes it forget the second term of the
 * last row, which is then almost black.
 *
 * @throws {ImageError} as {@link darknetLetterbox}.
 */
export function letterboxDarknet(
  image: RgbImage,
  frameWidth: number,
  frameHeight: number,
): Float32Array {
  const { width, height, left, top } = darknetLetterbox(image, frameWidth, frameHeight);
  const f = Math.fround;
  const out = new Float32Array(3 * frameHeight * frameWidth).fill(0.5);
  const scaleX = f((image.width - 1) / (width - 1)), scaleY = f((image.height - 1) / (height - 1));
  const level = Float32Array.from({ length: 256 }, (_, value) => value / 255);
  const rows = new Float32Array(width * image.height);
  for (let c = 0; c < 3; c++) {
    const pixel = (x: number, y: number) => level[image.data[(y * image.width + x) * 3 + c]];
    for (let y = 0; y < image.height; y++) {
      for (let x = 0; x < width; x++) {
        if (x === width - 1 || image.width === 1) {
          rows[y * width + x] = pixel(image.width - 1, y);
          continue;
        }
        const at = f(x * scaleX), before = Math.trunc(at), part = f(at - before);
        rows[y * width + x] = f(f(1 - part) * pixel(before, y)) + f(part * pixel(before + 1, y));
      }
    }
    for (let y = 0; y < height; y++) {
      const at = f(y * scaleY), before = Math.trunc(at), part = f(at - before);
      const second = y !== height - 1 && image.height !== 1;
      const o = (c * frameHeight + top + y) * frameWidth + left;
      for (let x = 0; x < width; x++) {
        const first = f(f(1 - part) * rows[before * width + x]);
        out[o + x] = second ? first + f(part * rows[(before + 1) * width + x]) : first;
      }
    }
  }
  return out;
}
