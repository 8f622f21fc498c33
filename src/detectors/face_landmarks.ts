/**
 * The 68 landmarks of a face, by face-api's landmark net.
 *
 * Points, left and right as seen in the image: jaw 0–16 (from left to right), left brow 17–21, right brow 22–26, nose 27–35 (ridge
 * 27–30, wings and tip 31–35), left eye 36–41, right eye 42–47, mouth 48–67.
 *
 * Source: `faceLandmarkNet/FaceLandmark68NetBase.ts`, `dom/extractFaceTensors.ts` of @vladmandic/face-api 1.7.15 (MIT).
 *
 * @module
 */

import type { Json } from "../base/json.ts";
import { isEmpty, type Rect } from "../image/geometry.ts";
import type { RgbImage, Size } from "../image/image.ts";
import type { NetworkCard } from "../runtime/card.ts";
import type { Network } from "../runtime/network.ts";
import { prepare } from "../runtime/preprocess.ts";
import type { Backend } from "../runtime/session.ts";
import { openDetectorNetwork } from "./network.ts";

/**
 * The whole pixels that the landmark net is shown for a box: its corner and its size clipped to the image, then cut to whole
 * numbers.
 *
 * @returns `undefined` when nothing of the box lies in the image
 */
export function landmarkCrop(
  box: Rect,
  image: Size,
): Rect | undefined {
  const left = Math.max(box.x0, 0), top = Math.max(box.y0, 0);
  const width = Math.floor(Math.min(box.x1, image.width) - left);
  const height = Math.floor(Math.min(box.y1, image.height) - top);
  const x0 = Math.floor(left), y0 = Math.floor(top);
  const crop = { x0, y0, x1: x0 + width, y1: y0 + height };
  return isEmpty(crop) ? undefined : crop;
}

/**
 * Landmarks as the net gives them, in image pixels.
 *
 * The net sees the crop padded on both sides of its shorter axis to a square and gives points in 0..1 of that square.
 *
 * Departs from face-api: points are placed on the whole-pixel crop the net saw; face-api adds them to the uncut corner of the box
 * (up to one pixel away).
 *
 * @param values x0, y0, x1, y1, … in 0..1 of the padded square
 * @param crop what the net saw, in image pixels
 */
export function placeLandmarks(values: Float32Array, crop: Rect): Float32Array {
  const width = crop.x1 - crop.x0, height = crop.y1 - crop.y0;
  const side = Math.max(width, height);
  const left = crop.x0 - (side - width) / 2, top = crop.y0 - (side - height) / 2;
  return values.map((value, i) => (i % 2 === 0 ? left : top) + value * side);
}

/** A landmark finder, ready to run. */
interface LandmarkFinder {
  readonly key: Readonly<Record<string, Json>>;
  readonly notices: readonly string[];
  /**
   * The 68 landmarks of the face in a box, x0, y0, x1, y1, … in image pixels; `undefined` when the box lies outside the image.
   */
  locate(image: RgbImage, box: Rect): Promise<Float32Array | undefined>;
  dispose(): Promise<void>;
}

/**
 * Opens the landmark net. Faces are run one at a time, so that a face's landmarks do not depend on its neighbours.
 *
 * @throws {ModelError} when the network is not what its card says, or the backend refuses the model
 */
export async function openFaceLandmarks(
  network: Network<NetworkCard>,
  backend: Backend,
): Promise<LandmarkFinder> {
  const { card } = network;
  const net = await openDetectorNetwork(network, backend, [{ output: card.output.name }]);
  return {
    key: { sha256: card.sha256, input: card.input as Json },
    notices: net.notices,
    async locate(image, box) {
      const crop = landmarkCrop(box, image);
      if (!crop) return undefined;
      const [{ data }] = await net.run(prepare(image, crop, card.input), card.input);
      return placeLandmarks(data, crop);
    },
    dispose: () => net.dispose(),
  };
}
