/**
 * Pictures as files: SVG to PNG, and small JPEG and PNG files, by libvips (npm `sharp`). No metadata is written.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Sharp } from "sharp";
import { messageOf } from "../base/errors.ts";
import type { RgbImage } from "./image.ts";
import { loadSharp } from "./libvips.ts";

/** 8-bit RGBA pixels in rows, not premultiplied. */
export interface RgbaImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Pixels that a PNG may have on one side; beyond it, memory is the limit rather than the use. */
const LARGEST_SIDE = 16384;

/**
 * Draws an SVG as PNG, at its own size or at a width in pixels (its aspect ratio is kept).
 *
 * Text must come as outlines: the picture would otherwise depend on the fonts installed, and containers have none.
 *
 * @throws {RangeError} when the SVG holds a text element, has no width, or would become larger than 16384 pixels on one side.
 * @throws {Error} when the SVG cannot be read.
 */
export async function svgToPng(svg: string, options: { width?: number } = {}): Promise<Uint8Array> {
  if (/<text[\s>]/.test(svg)) {
    throw new RangeError(
      'Cannot draw an SVG as PNG: it holds live text; make the figure with { text: "outlines" }',
    );
  }
  const root = /<svg\b[^>]*>/.exec(svg)?.[0] ?? "";
  const own = (name: string) => Number(new RegExp(`\\s${name}="([0-9.]+)(?:px)?"`).exec(root)?.[1]);
  const [ownWidth, ownHeight] = [own("width"), own("height")];
  if (!(ownWidth > 0 && ownHeight > 0)) {
    throw new RangeError(
      `Cannot draw an SVG as PNG: its root has no width and height in pixels: ${
        root.slice(0, 120)
      }`,
    );
  }
  const width = Math.round(options.width ?? ownWidth);
  const height = Math.max(1, Math.round((ownHeight / ownWidth) * width));
  if (!(width >= 1 && Math.max(width, height) <= LARGEST_SIDE)) {
    throw new RangeError(
      `Cannot draw an SVG as PNG: ${width}x${height} pixels; choose a width that keeps both sides within 1 to ${LARGEST_SIDE}`,
    );
  }
  try {
    // The density makes the SVG be drawn at the wanted size, instead of a small picture being enlarged.
    const density = Math.min(100000, Math.max(1, (72 * width) / ownWidth));
    const sharp = await loadSharp();
    const png = await sharp(new TextEncoder().encode(svg), { density, limitInputPixels: false })
      .resize(width, height, { fit: "fill" })
      .png({ compressionLevel: 9 })
      .toBuffer();
    return new Uint8Array(png);
  } catch (error) {
    throw new Error(`Cannot draw an SVG as PNG: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Encodes pixels as JPEG, resized to a width (Lanczos; the aspect ratio is kept) if one is given.
 *
 * @param options.quality 1..100, 80 by default.
 */
export async function encodeJpeg(
  image: RgbImage,
  options: { width?: number; quality?: number } = {},
): Promise<Uint8Array> {
  let pipeline = await raw(image, 3);
  if (options.width !== undefined) pipeline = pipeline.resize({ width: options.width });
  return new Uint8Array(
    await pipeline.jpeg({ quality: options.quality ?? 80, mozjpeg: true }).toBuffer(),
  );
}

/** Encodes RGBA pixels as PNG, without loss. */
export async function encodePng(image: RgbaImage): Promise<Uint8Array> {
  // Not `effort`: it makes sharp reduce the picture to 256 colours.
  return new Uint8Array(await (await raw(image, 4)).png({ compressionLevel: 9 }).toBuffer());
}

/** @throws {RangeError} when the data do not fit the size. */
async function raw(image: RgbaImage, channels: 3 | 4): Promise<Sharp> {
  const { width, height, data } = image;
  if (!(width >= 1 && height >= 1) || data.length !== width * height * channels) {
    throw new RangeError(
      `Cannot encode ${width}x${height} pixels of ${channels} channels: ${data.length} bytes`,
    );
  }
  const sharp = await loadSharp();
  return sharp(data, { raw: { width, height, channels } });
}

/** A file's bytes as a data URL, to be embedded in SVG or HTML. */
export function dataUrl(bytes: Uint8Array, type: "image/png" | "image/jpeg"): string {
  return `data:${type};base64,${Buffer.from(bytes).toString("base64")}`;
}
