/**
 * Images → network input, as a model card's input section says.
 *
 * @module
 */

import { ImageError } from "../base/errors.ts";
import { crop, cropResize, padToSquare } from "../image/crop.ts";
import { composePlacement, cropPlacement, type Placement, type Rect } from "../image/geometry.ts";
import type { FloatImage, RgbImage, Size } from "../image/image.ts";
import { letterbox, letterboxPlacement, paperLetterbox } from "../image/letterbox.ts";
import { type PillowFilter, resizePillow } from "../image/pillow.ts";
import { resizeBilinear } from "../image/bilinear.ts";
import type { InputSpec } from "./card.ts";
import { centreCrop } from "./centre_crop.ts";

/** Luma weights of the grey channel: ITU-R BT.601, as MATLAB's rgb2gray and TensorFlow.js' models use them. */
const GREY = [0.2989, 0.587, 0.114] as const;

/**
 * Prepares a region of an image. What lies outside the image is black, before any mean is subtracted.
 *
 * With `fit` stretch and a Pillow filter the region is resampled at its exact, fractional place; the other fits and filters
 * work on whole pixels, so the region is rounded to them first. `letterbox` is the paper's and always bicubic.
 *
 * @param meanImage [C, H, W], subtracted instead of `spec.mean` after scaling.
 * @throws {ImageError} when the region is smaller than a pixel or too narrow to be letterboxed.
 */
export function prepare(
  image: RgbImage,
  region: Rect,
  spec: InputSpec,
  meanImage?: Float32Array,
): Float32Array {
  return normalise(draw(image, region, spec), spec, meanImage);
}

/**
 * Where {@linkcode prepare} puts a region: continuous image pixels → continuous input pixels.
 *
 * @throws {ImageError} as `prepare`.
 */
export function inputPlacement(region: Rect, spec: InputSpec): Placement {
  const { width, height } = spec;
  if (isExact(spec)) return cropPlacement(region, width, height);
  const at = wholePixels(region);
  const part: Size = { width: at.x1 - at.x0, height: at.y1 - at.y0 };
  const within = (placement: Placement) =>
    composePlacement(placement, cropPlacement(at, part.width, part.height));
  switch (spec.fit) {
    case "stretch":
      return cropPlacement(at, width, height);
    case "letterbox":
      return within(letterboxPlacement(part, paperLetterbox(part, width, height)));
    case "pad-end":
    case "pad-centre": {
      const side = Math.max(part.width, part.height);
      const before = (extent: number) =>
        spec.fit === "pad-end" ? 0 : Math.floor((side - extent) / 2);
      return within({
        x: { scale: width / side, offset: before(part.width) * width / side },
        y: { scale: height / side, offset: before(part.height) * height / side },
      });
    }
    case "centre-crop": {
      const { from, whole, left, top } = centreCrop(part, spec);
      const x = whole.width / from.width, y = whole.height / from.height;
      return within({
        x: { scale: x, offset: -left - from.left * x },
        y: { scale: y, offset: -top - from.top * y },
      });
    }
  }
}

function draw(image: RgbImage, region: Rect, spec: InputSpec): RgbImage | FloatImage {
  const { width, height } = spec;
  if (isExact(spec)) return cropResize(image, region, width, height, filterOf(spec));
  const { x0, y0, x1, y1 } = wholePixels(region);
  const whole = x0 === 0 && y0 === 0 && x1 === image.width && y1 === image.height;
  const part = whole ? image : crop(image, x0, y0, x1, y1);
  switch (spec.fit) {
    case "stretch":
      return resize(part, width, height, spec);
    case "letterbox":
      return letterbox(part, width, height);
    case "pad-end":
      return resize(padToSquare(part, "end"), width, height, spec);
    case "pad-centre":
      return resize(padToSquare(part, "centre"), width, height, spec);
    case "centre-crop": {
      const { from, whole: size, left, top } = centreCrop(part, spec);
      const cut = from.width === part.width && from.height === part.height
        ? part
        : crop(part, from.left, from.top, from.left + from.width, from.top + from.height);
      const resized = resize(cut, size.width, size.height, spec);
      return crop(resized, left, top, left + width, top + height);
    }
  }
}

/** Whether a region is resampled at its fractional place. */
function isExact(spec: InputSpec): boolean {
  return spec.fit === "stretch" && spec.resize.startsWith("pillow-");
}

/** The region rounded to whole pixels. */
function wholePixels(region: Rect): Rect {
  const at = {
    x0: Math.round(region.x0),
    y0: Math.round(region.y0),
    x1: Math.round(region.x1),
    y1: Math.round(region.y1),
  };
  if (at.x1 <= at.x0 || at.y1 <= at.y0) {
    throw new ImageError("Cannot prepare a sample: its region is smaller than a pixel");
  }
  return at;
}

function filterOf(spec: InputSpec): PillowFilter {
  return spec.resize === "pillow-bilinear"
    ? "bilinear"
    : spec.resize === "pillow-lanczos"
    ? "lanczos"
    : "bicubic";
}

function resize(image: RgbImage, width: number, height: number, spec: InputSpec) {
  if (spec.resize === "bilinear-asymmetric") {
    return resizeBilinear(image, width, height, "asymmetric");
  }
  if (spec.resize === "bilinear-half-pixel") {
    return resizeBilinear(image, width, height, "half-pixel");
  }
  return resizePillow(image, width, height, filterOf(spec));
}

/** [H, W, RGB] 0..255 → [C, H, W], (value * scale - mean) / std. */
function normalise(
  { width, height, data }: RgbImage | FloatImage,
  spec: InputSpec,
  meanImage?: Float32Array,
): Float32Array {
  const pixels = width * height;
  if (spec.channels === "grey") return greyPlane(data, pixels, spec, meanImage);
  const out = new Float32Array(3 * pixels);
  for (let c = 0; c < 3; c++) {
    const mean = meanImage?.subarray(c * pixels, (c + 1) * pixels) ??
      spec.mean[c % spec.mean.length];
    const std = spec.std[c % spec.std.length];
    const plane = out.subarray(c * pixels, (c + 1) * pixels);
    const source = spec.channels === "bgr" ? 2 - c : c;
    if (typeof mean !== "number") subtractPlane(data, source, spec.scale, mean, std, plane);
    else if (data instanceof Uint8Array) bytePlane(data, source, spec.scale, mean, std, plane);
    else floatPlane(data, source, spec.scale, mean, std, plane);
  }
  return out;
}

// One function for each kind of values: V8 compiles a loop over arrays of two types to code that is three times slower, and
// these run over every pixel of every sample.

function floatPlane(
  data: Float32Array,
  source: number,
  scale: number,
  mean: number,
  std: number,
  out: Float32Array,
): void {
  for (let i = 0, p = source; i < out.length; i++, p += 3) {
    out[i] = (data[p] * scale - mean) / std;
  }
}

/** 256 levels have 256 values. */
function bytePlane(
  data: Uint8Array,
  source: number,
  scale: number,
  mean: number,
  std: number,
  out: Float32Array,
): void {
  const values = Float32Array.from({ length: 256 }, (_, level) => (level * scale - mean) / std);
  for (let i = 0, p = source; i < out.length; i++, p += 3) out[i] = values[data[p]];
}

function subtractPlane(
  data: Uint8Array | Float32Array,
  source: number,
  scale: number,
  mean: Float32Array,
  std: number,
  out: Float32Array,
): void {
  for (let i = 0, p = source; i < out.length; i++, p += 3) {
    out[i] = (data[p] * scale - mean[i]) / std;
  }
}

function greyPlane(
  data: Uint8Array | Float32Array,
  pixels: number,
  { scale, mean: means, std: deviations }: InputSpec,
  meanImage?: Float32Array,
): Float32Array {
  const out = new Float32Array(pixels);
  const mean = means[0], std = deviations[0];
  for (let i = 0, p = 0; i < pixels; i++, p += 3) {
    const value = GREY[0] * data[p] + GREY[1] * data[p + 1] + GREY[2] * data[p + 2];
    out[i] = (value * scale - (meanImage ? meanImage[i] : mean)) / std;
  }
  return out;
}
