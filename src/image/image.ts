/**
 * Pictures as plain data: the 8-bit RGB image every reader gives, and the float images and maps that resampling gives.
 *
 * @module
 */

/** Extent in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How a picture is held: as its EXIF orientation says, or as its pixels are stored. */
export type Orientation = "exif" | "stored";

/** An 8-bit picture: `data[(y * width + x) * 3 + c]`, row by row, channels red, green, blue, 0…255. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A picture to explain: its pixels, and what tells it from all others. It need not be a file. */
export interface Picture {
  readonly image: RgbImage;
  /**
   * What it is, whatever it is called: the SHA-256 of its file; of an edited picture also what was done to it. What is random in its maps
   * is seeded by it.
   */
  readonly key: string;
  /** Its path in the corpus, if it has one: a file of boxes is looked up by it. */
  readonly path?: string;
}

/** A picture of real numbers with the layout of {@link RgbImage}; the values are on its scale, 0…255, but not rounded. */
export interface FloatImage {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** One real number a pixel: `data[y * width + x]`; a CAM, a mask. */
export interface FloatMap {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/**
 * Makes an image from its size and its bytes; without bytes it is black.
 *
 * @throws {RangeError} when a side is not a positive whole number or there are not `width * height * 3` bytes.
 */
export function rgbImage(
  width: number,
  height: number,
  data: Uint8Array = new Uint8Array(width * height * 3),
): RgbImage {
  requireSize("an image", width, height);
  requireLength("an image", width, height, 3, data.length);
  return { width, height, data };
}

/**
 * Makes a map from its size and its values; without values it is 0.
 *
 * @throws {RangeError} when a side is not a positive whole number or there are not `width * height` values.
 */
export function floatMap(
  width: number,
  height: number,
  data: Float32Array = new Float32Array(width * height),
): FloatMap {
  requireSize("a map", width, height);
  requireLength("a map", width, height, 1, data.length);
  return { width, height, data };
}

/** @throws {RangeError} when a side is not a whole number of at least 1. */
export function requireSize(what: string, width: number, height: number): void {
  if (!(Number.isSafeInteger(width) && Number.isSafeInteger(height) && width > 0 && height > 0)) {
    throw new RangeError(
      `Cannot make ${what} of ${width} x ${height} pixels; sides are whole numbers of at least 1`,
    );
  }
}

function requireLength(what: string, width: number, height: number, channels: number, got: number) {
  if (got !== width * height * channels) {
    throw new RangeError(
      `Cannot make ${what} of ${width} x ${height} pixels from ${got} values: ` +
        `${width * height * channels} are needed`,
    );
  }
}
