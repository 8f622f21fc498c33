/**
 * Overlays of samples: the picture, a final map over it, and the boxes with their importance.
 *
 * @module
 */

import type { Classifier } from "../classifier/classifier.ts";
import type { BoxRow } from "../ledger/rows.ts";
import type { RawMap } from "../attribution/results.ts";
import { type OverlayData, sampleOverlay } from "../figures/mod.ts";
import type { Compute } from "../gpu/compute.ts";
import { frameOf, invertPlacement, placeRect, type Rect } from "../image/geometry.ts";
import type { RgbImage } from "../image/image.ts";
import { finalMaps } from "../kernels/box_scores.ts";
import { type Grid, gridOf, type Method } from "../methods/mod.ts";
import type { InputSpec } from "../runtime/card.ts";
import { inputPlacement } from "../runtime/preprocess.ts";
import { defined } from "../base/defined.ts";

/** A box of a sample with its importance. */
export type ScoredBox = Pick<BoxRow, "label" | "x0" | "y0" | "x1" | "y1"> & {
  readonly importance: number;
};

/** What must be known of a method and a classifier to draw a raw map: no model. */
export interface MapDrawing {
  /** How a picture becomes the classifier's input. */
  readonly input: InputSpec;
  /** Shape of one input, [C, H, W]. */
  readonly inputShape: readonly [number, number, number];
  /** The cells of the method's maps on the input. */
  readonly grid: Grid;
  readonly rectify: boolean;
  readonly normalised?: boolean;
}

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

/** How the maps of a method on an open classifier are drawn. */
export function mapDrawing(classifier: Classifier, method: Method): MapDrawing {
  return {
    input: classifier.card.input,
    inputShape: classifier.inputShape,
    grid: gridOf(method, classifier),
    rectify: method.rectify,
    ...(method.normalised ? { normalised: true } : {}),
  };
}

/** The final maps [M, H, W], 0..1, at the size of the classifier's input. */
export async function finalMapsOf(
  compute: Compute,
  { inputShape, grid, rectify, normalised }: MapDrawing,
  raw: Float32Array,
): Promise<Float32Array> {
  const { height, width, placement } = grid;
  const maps = raw.length / (height * width);
  const batch = {
    ...{ maps, height, width, rectify, from: { ready: raw } },
    ...(normalised ? { normalised } : {}),
  };
  const [, inputHeight, inputWidth] = inputShape;
  return await finalMaps(compute, batch, { width: inputWidth, height: inputHeight, placement });
}

/** Draws one sample's overlay as data for the overlay figure. */
export async function sampleFigure(
  compute: Compute,
  drawing: MapDrawing,
  source: SampleFigureSource,
): Promise<OverlayData> {
  const [, height, width] = drawing.inputShape;
  const data = await finalMapsOf(compute, drawing, source.raw.raw);
  const fromInput = invertPlacement(inputPlacement(source.region, drawing.input));
  return await sampleOverlay({
    title: source.title,
    ...defined({ subtitle: source.subtitle, width: source.width }),
    image: source.image,
    ...(source.whole ? {} : { view: source.region }),
    map: { width, height, data, region: placeRect(fromInput, frameOf({ width, height })) },
    boxes: source.boxes.map((box) => ({ ...box, salient: box.importance > source.threshold })),
    threshold: source.threshold,
  });
}
