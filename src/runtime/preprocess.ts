/**
 * Images → network input, as a model card's input section says.
 *
 * @module
 */

import { ImageError } from "../base/errors.ts";
import { crop, cropResize, padToSquare } from "../image/crop.ts";
import { composePlacement, cropPlacement, type Placement, type Rect } from "../image/geometry.ts";
import type { FloatImage, RgbImage } from "../image/image.ts";
import { letterbox, letterboxPlacement, paperLetterbox } from "../image/letterbox.ts";
import { type PillowFilter, resizeBilinear, resizePillow } from "../image/resize.ts";
import type { InputSpec } from "./card.ts";

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

/** A rectangle's size in whole pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
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
      const { whole, left, top } = centreCrop(part, spec);
      return within({
        x: { scale: whole.width / part.width, offset: -left },
        y: { scale: whole.height / part.height, offset: -top },
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
      const { whole: size, left, top } = centreCrop(part, spec);
      const resized = resizePillow(part, size.width, size.height, filterOf(spec));
      return crop(resized, left, top, left + width, top + height);
    }
  }
}

/** Whether a region is resampled at its fractional place. */
function isExact(spec: InputSpec): boolean {
  return spec.fit === "stretch" && spec.resize.startsWith("pillow-");
}

/** torchvision's Resize (the longer side cut to a whole number), then its CenterCrop. */
function centreCrop(part: Size, spec: InputSpec): { whole: Size; left: number; top: number } {
  const shorter = spec.shorterSide ?? Math.min(spec.width, spec.height);
  const scale = shorter / Math.min(part.width, part.height);
  const whole = part.width <= part.height
    ? { width: shorter, height: Math.trunc(part.height * scale) }
    : { width: Math.trunc(part.width * scale), height: shorter };
  return {
    whole,
    left: Math.round((whole.width - spec.width) / 2),
    top: Math.round((whole.height - spec.height) / 2),
  };
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
  picture: RgbImage | FloatImage,
  spec: InputSpec,
  meanImage?: Float32Array,
): Float32Array {
  const { data } = picture;
  const pixels = picture.width * picture.height;
  const channels = spec.channels === "grey" ? 1 : 3;
  const out = new Float32Array(channels * pixels);
  for (let c = 0; c < channels; c++) {
    const mean = meanImage ? 0 : spec.mean[c % spec.mean.length]!;
    const std = spec.std[c % spec.std.length]!;
    const source = spec.channels === "bgr" ? 2 - c : c;
    for (let i = 0; i < pixels; i++) {
      const value = channels === 1
        ? GREY[0] * data[3 * i]! + GREY[1] * data[3 * i + 1]! + GREY[2] * data[3 * i + 2]!
        : data[3 * i + source]!;
      const at = c * pixels + i;
      out[at] = (value * spec.scale - (meanImage ? meanImage[at]! : mean)) / std;
    }
  }
  return out;
}
