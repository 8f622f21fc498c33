/**
 * Overlays of samples: the picture, a final map over it, and the boxes with their importance.
 *
 * @module
 */

import type { Classifier } from "../../classifier/classifier.ts";
import type { BoxRow } from "../../ledger/rows.ts";
import type { RawMap } from "../../attribution/results.ts";
import { type OverlayData, sampleOverlay } from "../../figures/mod.ts";
import type { Compute } from "../../gpu/compute.ts";
import { frameOf, invertPlacement, placeRect, type Rect } from "../../image/geometry.ts";
import type { RgbImage } from "../../image/image.ts";
import { finalMaps } from "../../kernels/score.ts";
import { frameOfMaps, gridOf, mapBatchOf, type Method } from "../../methods/mod.ts";
import { inputPlacement } from "../../runtime/preprocess.ts";

/** A box of a sample with its importance. */
export type ScoredBox = Pick<BoxRow, "label" | "x0" | "y0" | "x1" | "y1"> & {
  readonly importance: number;
};

/** One sample as it is drawn. */
export interface SampleFigureSource {
  readonly title: string;
  readonly subtitle?: string;
  readonly image: RgbImage;
  /** The sample's region in image pixels, and whether it is the whole image. */
  readonly region: Rect;
  readonly whole: boolean;
  readonly raw: RawMap;
  readonly boxes: readonly ScoredBox[];
  readonly threshold: number;
  readonly width?: number;
}

/** The final maps [M, H, W], 0..1, at the size of the classifier's input. */
export async function finalMapsOf(
  compute: Compute,
  classifier: Classifier,
  method: Method,
  raw: Float32Array,
): Promise<Float32Array> {
  const { height, width } = gridOf(method, classifier);
  const maps = mapBatchOf(method, classifier, raw, raw.length / (height * width));
  return await finalMaps(compute, maps, frameOfMaps(method, classifier));
}

/** Draws one sample's overlay as data for the overlay figure. */
export async function sampleFigure(
  compute: Compute,
  classifier: Classifier,
  method: Method,
  source: SampleFigureSource,
): Promise<OverlayData> {
  const [, height, width] = classifier.inputShape;
  const data = await finalMapsOf(compute, classifier, method, source.raw.raw);
  const fromInput = invertPlacement(inputPlacement(source.region, classifier.card.input));
  return await sampleOverlay({
    title: source.title,
    ...(source.subtitle !== undefined ? { subtitle: source.subtitle } : {}),
    image: source.image,
    ...(source.whole ? {} : { view: source.region }),
    map: { width, height, data, region: placeRect(fromInput, frameOf({ width, height })) },
    boxes: source.boxes.map((box) => ({ ...box, salient: box.importance > source.threshold })),
    threshold: source.threshold,
    ...(source.width !== undefined ? { width: source.width } : {}),
  });
}
