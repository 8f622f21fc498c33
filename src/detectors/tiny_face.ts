/**
 * The tiny face detector of face-api: a YOLO v2 grid with five anchors, run at several sizes.
 *
 * Source: `tinyYolov2/TinyYolov2Base.ts`, `ops/nonMaxSuppression.ts` of @vladmandic/face-api 1.7.15 (MIT).
 *
 * @module
 */

import { z } from "zod";
import { ImageError, ModelError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import type { Tensor } from "../base/tensor.ts";
import { padToSquare } from "../image/crop.ts";
import { area, frameOf, intersect, iou, type Rect } from "../image/geometry.ts";
import { MAX_PIXELS } from "../image/decode.ts";
import type { RgbImage, Size } from "../image/image.ts";
import type { NetworkCard } from "../runtime/card.ts";
import type { Network } from "../runtime/network.ts";
import type { Backend } from "../runtime/session.ts";
import { prepare } from "../runtime/preprocess.ts";
import { decoderSettings, openDetectorNetwork } from "./network.ts";

const settingsSchema = z.strictObject({
  kind: z.literal("tiny-face"),
  /** Sides of the input to run, multiples of 32. */
  sizes: z.array(z.number().int().positive().multipleOf(32)).min(1),
  /** Width and height of each anchor, in cells. */
  anchors: z.array(z.tuple([z.number().positive(), z.number().positive()])).min(1),
  /** Keep boxes with a score over this. */
  scoreThreshold: z.number().min(0).max(1),
  /** Of boxes that overlap more than this (intersection over union), keep the best. */
  iouThreshold: z.number().min(0).max(1),
  /** Between sizes: a box of which more than this part is shared with a better one is the same face. */
  mergeThreshold: z.number().min(0).max(1),
});

/** Settings of the decoder, the section `decoder` of the card. */
type TinyFaceSettings = z.infer<typeof settingsSchema>;

/** A face as found: its box in image pixels (it may reach over the edges) and its score, 0..1. */
export interface FaceBox extends Rect {
  readonly confidence: number;
}

/** Longest side of an image: its square copy stays under the limit on pixels that decoding has. */
const MAX_SIDE = Math.floor(Math.sqrt(MAX_PIXELS));

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/**
 * Boxes of one grid, before suppression.
 *
 * Per cell and anchor tx, ty, tw, th, to: score = σ(to), centre = (cell + σ(t)) / cells, extent = exp(t) · anchor / cells, in
 * units of the padded square. That square holds the image scaled so that its longer side fills it, whose shorter side
 * face-api rounds (half up) to whole pixels; so x and y are corrected by that rounded size.
 *
 * @param grid [1, 5 × anchors, cells, cells], anchor by anchor
 * @param image size of the image in pixels
 * @param size side of the net's input
 * @returns boxes over the threshold, in the order of rows, columns, anchors; NaN scores are dropped
 */
export function decodeTinyFace(
  grid: Tensor,
  { image, size, anchors, scoreThreshold }: {
    image: Size;
    size: number;
    anchors: TinyFaceSettings["anchors"];
    scoreThreshold: number;
  },
): FaceBox[] {
  const [, channels, cells, columns] = grid.shape as [number, number, number, number];
  if (channels !== 5 * anchors.length || cells !== columns) {
    throw new ModelError(
      `Cannot decode a face grid of shape [${grid.shape}] with ${anchors.length} anchors`,
    );
  }
  const scale = size / Math.max(image.width, image.height);
  // At least one pixel: face-api divides by zero for images more than twice `size` times as long as wide.
  const scaled = (extent: number) => Math.max(1, Math.round(extent * scale));
  const unitX = image.width * size / scaled(image.width) / cells;
  const unitY = image.height * size / scaled(image.height) / cells;
  const boxes: FaceBox[] = [];
  for (let row = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      anchors.forEach(([anchorWidth, anchorHeight], anchor) => {
        const at = (k: number) => grid.data[((anchor * 5 + k) * cells + row) * cells + column];
        const confidence = sigmoid(at(4));
        if (!(confidence > scoreThreshold)) return;
        const x = (column + sigmoid(at(0))) * unitX;
        const y = (row + sigmoid(at(1))) * unitY;
        const halfWidth = Math.exp(at(2)) * anchorWidth * unitX / 2;
        const halfHeight = Math.exp(at(3)) * anchorHeight * unitY / 2;
        boxes.push({
          x0: x - halfWidth,
          y0: y - halfHeight,
          x1: x + halfWidth,
          y1: y + halfHeight,
          confidence,
        });
      });
    }
  }
  return boxes;
}

/**
 * Greedy non-maximum suppression: the best box stays, all that overlap it more than the threshold go, and so on. Of equal
 * scores the later box is the better one, as in face-api.
 *
 * @param overlap 0..1, by default intersection over union
 * @returns the boxes kept, best first
 */
export function suppress<B extends FaceBox>(
  boxes: readonly B[],
  threshold: number,
  overlap: (best: Rect, other: Rect) => number = iou,
): B[] {
  const rest = boxes.map((box, index) => ({ box, index }))
    .sort((a, b) => b.box.confidence - a.box.confidence || b.index - a.index);
  const kept: B[] = [];
  for (const { box } of rest) {
    if (kept.every((best) => overlap(best, box) <= threshold)) kept.push(box);
  }
  return kept;
}

/** The part of the smaller box that the two share, 0..1; 0 where one is empty. */
export function containment(a: Rect, b: Rect): number {
  const smaller = Math.min(area(a), area(b));
  return smaller > 0 ? area(intersect(a, b)) / smaller : 0;
}

/** A face detector, ready to run. */
interface FaceFinder {
  readonly key: Readonly<Record<string, Json>>;
  readonly notices: readonly string[];
  /** Faces, best first. @throws {ImageError} when the image is too long to be padded to a square. */
  find(image: RgbImage): Promise<FaceBox[]>;
  dispose(): Promise<void>;
}

/**
 * Opens the tiny face detector.
 *
 * Each image is run at every size, one at a time (the sizes differ, and a sample's result must not depend on its batch).
 * Faces found at several sizes are merged: the box with the best score stays. face-api runs one size only.
 *
 * @throws {ModelError} when the card's decoder is malformed, its network is not what it says, or the backend refuses the model
 */
export async function openTinyFace(
  network: Network<NetworkCard>,
  backend: Backend,
): Promise<FaceFinder> {
  const { card } = network;
  const settings = decoderSettings(card, settingsSchema);
  const net = await openDetectorNetwork(network, backend, [{ output: card.output.name }]);
  return {
    key: { sha256: card.sha256, input: card.input as Json, decoder: settings as Json },
    notices: net.notices,
    async find(image) {
      const side = Math.max(image.width, image.height);
      if (side > MAX_SIDE) {
        throw new ImageError(
          `Cannot look for faces: padded to a square, the image of ${image.width} x ${image.height} ` +
            `pixels is over ${MAX_SIDE} pixels wide; scale it down first`,
        );
      }
      // Padded once for all sizes.
      const square = card.input.fit === "pad-end" ? padToSquare(image, "end") : image;
      const found: FaceBox[] = [];
      for (const size of settings.sizes) {
        const spec = { ...card.input, width: size, height: size };
        const [grid] = await net.run(prepare(square, frameOf(square), spec), spec);
        const boxes = decodeTinyFace(grid, { image, size, ...settings });
        found.push(...suppress(boxes, settings.iouThreshold));
      }
      return suppress(found, settings.mergeThreshold, containment);
    },
    dispose: () => net.dispose(),
  };
}
