/**
 * Resizing and cutting the middle, by the integer rules of the libraries that networks are trained with.
 *
 * @module
 */

import type { Size } from "../image/image.ts";
import type { InputSpec } from "./card.ts";

/** What is done to a picture: a part of it is resized, and the input cut out of that. */
export interface CentreCrop {
  /** What is resized, in the picture's pixels. */
  readonly from: Size & { readonly left: number; readonly top: number };
  /** Its size when it is resized. */
  readonly whole: Size;
  /** First column and row of the input in it; below 0 where black is put before it. */
  readonly left: number;
  readonly top: number;
}

/** The part of a card that says how. */
type CropSpec = Pick<InputSpec, "width" | "height" | "shorterSide" | "rule" | "cropPct">;

/** timm's `DEFAULT_CROP_PCT`. */
const TIMM_CROP_PCT = 0.875;

/**
 * The centre crop of a picture.
 *
 * - `torchvision`: `Resize(shorterSide)`, its longer side cut to a whole number, then `CenterCrop`, whose offset is rounded, halves to even.
 * - `transformers`: the same size, the offset rounded down (`image_transforms.center_crop`).
 * - `timm`: `floor(size / cropPct)` for the shorter side; for inputs that are not square `ResizeKeepRatio`; then torchvision's `CenterCrop`.
 * - `keras`: `smart_resize`: the largest middle part of the input's shape is cut first, then resized.
 *
 * A picture that is smaller than the input after resizing is put in its middle, with black around, as the first three do.
 */
export function centreCrop(part: Size, spec: CropSpec): CentreCrop {
  const { width, height, rule = "torchvision" } = spec;
  if (rule === "keras") return smartResize(part, spec);
  const whole = rule === "timm"
    ? timmSize(part, spec)
    : shorterSideTo(part, spec.shorterSide ?? Math.min(width, height));
  const offset = rule === "transformers" ? floorOffset : roundedOffset;
  return {
    from: { left: 0, top: 0, width: part.width, height: part.height },
    whole,
    left: offset(whole.width, width),
    top: offset(whole.height, height),
  };
}

/** torchvision's `_compute_resized_output_size`, transformers' `get_resize_output_image_size`: one product and one quotient, cut. */
function shorterSideTo({ width, height }: Size, shorter: number): Size {
  return width <= height
    ? { width: shorter, height: Math.trunc(shorter * height / width) }
    : { width: Math.trunc(shorter * width / height), height: shorter };
}

/** timm's `transforms_imagenet_eval`. */
function timmSize(part: Size, { width, height, shorterSide, cropPct = TIMM_CROP_PCT }: CropSpec) {
  const target = (side: number) => Math.floor(side / cropPct);
  if (width === height) return shorterSideTo(part, shorterSide ?? target(width));
  const ratio = Math.min(part.height / target(height), part.width / target(width));
  return { width: halfToEven(part.width / ratio), height: halfToEven(part.height / ratio) };
}

/** torchvision's offset. Where the picture is smaller, half of what is missing goes before it, the smaller half. */
function roundedOffset(whole: number, side: number): number {
  return whole >= side ? halfToEven((whole - side) / 2) : -Math.floor((side - whole) / 2);
}

/** transformers' offset, from `//`. Where the picture is smaller, the larger half goes before it. */
function floorOffset(whole: number, side: number): number {
  return whole >= side ? Math.floor((whole - side) / 2) : -Math.ceil((side - whole) / 2);
}

/** Python's `round` of a value from 0 on. */
function halfToEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}

/** Keras' `smart_resize`, and `crop_to_aspect_ratio`. */
function smartResize(part: Size, { width, height }: CropSpec): CentreCrop {
  const cut = {
    width: Math.max(Math.min(part.width, Math.trunc(part.height * width / height)), 1),
    height: Math.max(Math.min(part.height, Math.trunc(part.width * height / width)), 1),
  };
  return {
    from: {
      left: Math.trunc((part.width - cut.width) / 2),
      top: Math.trunc((part.height - cut.height) / 2),
      ...cut,
    },
    whole: { width, height },
    left: 0,
    top: 0,
  };
}
