/**
 * Samples: what the classifier sees of an image, and which boxes belong to each.
 *
 * @module
 */

import type { Classifier } from "../classifier/classifier.ts";
import type { Box, Face } from "../detectors/detector.ts";
import { placeRect, type Rect } from "../image/geometry.ts";
import type { RgbImage, Size } from "../image/image.ts";
import { inputPlacement } from "../runtime/preprocess.ts";

/** What a sample is: a whole image, or one face crop of it. */
export type SampleKind = "image" | "faces";

/** How a face is cut out: a square around its landmarks (or its detection), `scale` times their larger side. */
export interface Crop {
  readonly around: "landmarks" | "face";
  readonly scale: number;
}

/** One sample of an image. */
export interface Sample {
  /** Region in image pixels; a face's may reach beyond the image. */
  readonly region: Rect;
  /** The face it was cut around. */
  readonly face?: number;
}

/** A box of a sample, in continuous pixels of the classifier's input. */
interface SampleBox {
  /** The box's place in the detector's answer. */
  readonly box: number;
  readonly rect: Rect;
  /** The box in image pixels. */
  readonly onImage: Rect;
}

/** A sample with the boxes that are scored in it. */
export interface PlacedSample {
  /** What the sample is, whatever its place in a batch: the seed of its random numbers. */
  readonly key: string;
  readonly boxes: readonly SampleBox[];
  /** Size of the sample's region in image pixels. */
  readonly size: Size;
}

/** The whole image as one sample. */
export function wholeImage(image: RgbImage): Sample[] {
  return [{ region: { x0: 0, y0: 0, x1: image.width, y1: image.height } }];
}

/**
 * One square sample around each face, in the order of the faces. Corners are whole pixels: backends place a face differently by
 * 1e-5 of a pixel, and a picture resampled at such places differs in some of its 8-bit values.
 */
export function faceSamples(faces: readonly Face[], crop: Crop): Sample[] {
  return faces.map(({ box, landmarks }, face) => {
    const { x0, y0, x1, y1 } = crop.around === "landmarks" ? bounds(landmarks) : box;
    const exact = crop.scale * Math.max(x1 - x0, y1 - y0);
    const left = Math.round((x0 + x1 - exact) / 2), top = Math.round((y0 + y1 - exact) / 2);
    const side = Math.max(1, Math.round(exact));
    return { region: { x0: left, y0: top, x1: left + side, y1: top + side }, face };
  });
}

/** The smallest rectangle around points x0, y0, x1, y1, … */
function bounds(points: Float32Array): Rect {
  let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
  for (let i = 0; i + 1 < points.length; i += 2) {
    x0 = Math.min(x0, points[i]);
    x1 = Math.max(x1, points[i]);
    y0 = Math.min(y0, points[i + 1]);
    y1 = Math.max(y1, points[i + 1]);
  }
  return { x0, y0, x1, y1 };
}

/**
 * The one mapping between a sample and the boxes of its picture: which boxes are scored in it, and where they lie on the classifier's input.
 *
 * @param picture key of the picture, by content
 * @param index of the sample among the picture's
 * @param boxes of the picture, in image pixels
 */
export function placeSample(
  { card }: Pick<Classifier, "card">,
  picture: string,
  sample: Sample,
  index: number,
  boxes: readonly Box[],
): PlacedSample {
  const { x0, y0, x1, y1 } = sample.region;
  const toInput = inputPlacement(sample.region, card.input);
  return {
    key: `${picture}#${index}`,
    boxes: boxes.flatMap((box, place) =>
      belongsTo(box, sample) ? [{ box: place, rect: placeRect(toInput, box), onImage: box }] : []
    ),
    size: { width: x1 - x0, height: y1 - y0 },
  };
}

/**
 * Whether a box is scored in a sample: any box in the whole image; in a face's sample that face's parts, and other boxes whose centre
 * lies in its region, so that a neighbour's parts at the edge of a crop are not counted.
 */
export function belongsTo(box: Box, sample: Sample): boolean {
  if (sample.face === undefined) return true;
  if (box.face !== undefined) return box.face === sample.face;
  const { x0, y0, x1, y1 } = sample.region;
  const x = (box.x0 + box.x1) / 2, y = (box.y0 + box.y1) / 2;
  return x >= x0 && x <= x1 && y >= y0 && y <= y1;
}
