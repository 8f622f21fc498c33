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

/** One network input. */
export interface Prepared {
  /** [C, H, W], in the card's channel order and value range. */
  readonly data: Float32Array;
  /** Continuous image pixels → continuous input pixels. */
  readonly toInput: Placement;
}

/** Luma weights of the grey channel: ITU-R BT.601, as MATLAB's rgb2gray and TensorFlow.js' models use them. */
const GREY = [0.2989, 0.587, 0.114] as const;

/**
 * Prepares a region of an image. What lies outside the image is black, before any mean is subtracted.
 *
 * With `fit` stretch and a Pillow filter the region is resampled at its exact, fractional place; the other fits and filters
 * work on whole pixels, so the region is rounded to them first.
 *
 * @param meanImage [C, H, W], subtracted instead of `spec.mean` after scaling.
 * @throws {ImageError} when the image is too narrow to be letterboxed.
 */
export function prepare(
  image: RgbImage,
  region: Rect,
  spec: InputSpec,
  meanImage?: Float32Array,
): Prepared {
  const { picture, toInput } = fitInto(image, region, spec);
  return { data: normalise(picture, spec, meanImage), toInput };
}

function fitInto(
  image: RgbImage,
  region: Rect,
  spec: InputSpec,
): { picture: RgbImage | FloatImage; toInput: Placement } {
  const { width, height } = spec;
  if (spec.fit === "stretch" && spec.resize.startsWith("pillow-")) {
    const picture = cropResize(image, region, width, height, filterOf(spec));
    return { picture, toInput: cropPlacement(region, width, height) };
  }
  const { part, at } = wholePixels(image, region);
  const toPart = cropPlacement(at, part.width, part.height);
  const within = (placement: Placement) => composePlacement(placement, toPart);
  switch (spec.fit) {
    case "stretch":
      return {
        picture: resize(part, width, height, spec),
        toInput: cropPlacement(at, width, height),
      };
    case "letterbox":
      return {
        picture: letterbox(part, width, height),
        toInput: within(letterboxPlacement(part, paperLetterbox(part, width, height))),
      };
    case "pad-end":
    case "pad-centre": {
      const square = padToSquare(part, spec.fit === "pad-end" ? "end" : "centre");
      const side = square.width;
      const left = spec.fit === "pad-end" ? 0 : Math.floor((side - part.width) / 2);
      const top = spec.fit === "pad-end" ? 0 : Math.floor((side - part.height) / 2);
      return {
        picture: resize(square, width, height, spec),
        toInput: within({
          x: { scale: width / side, offset: (left * width) / side },
          y: { scale: height / side, offset: (top * height) / side },
        }),
      };
    }
    case "centre-crop": {
      // torchvision: Resize(shorter) with the longer side cut to a whole number, then CenterCrop.
      const shorter = spec.shorterSide ?? Math.min(width, height);
      const scale = shorter / Math.min(part.width, part.height);
      const w = part.width <= part.height ? shorter : Math.trunc(part.width * scale);
      const h = part.height < part.width ? shorter : Math.trunc(part.height * scale);
      const left = Math.round((w - width) / 2), top = Math.round((h - height) / 2);
      const whole = resizePillow(part, w, h, filterOf(spec));
      return {
        picture: crop(whole, left, top, left + width, top + height),
        toInput: within({
          x: { scale: w / part.width, offset: -left },
          y: { scale: h / part.height, offset: -top },
        }),
      };
    }
  }
}

/** The region rounded to whole pixels, and cut out unless it is the whole image. */
function wholePixels(image: RgbImage, region: Rect): { part: RgbImage; at: Rect } {
  const at = {
    x0: Math.round(region.x0),
    y0: Math.round(region.y0),
    x1: Math.round(region.x1),
    y1: Math.round(region.y1),
  };
  if (at.x1 <= at.x0 || at.y1 <= at.y0) {
    throw new ImageError("Cannot prepare a sample: its region is smaller than a pixel");
  }
  const whole = at.x0 === 0 && at.y0 === 0 && at.x1 === image.width && at.y1 === image.height;
  return { part: whole ? image : crop(image, at.x0, at.y0, at.x1, at.y1), at };
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
