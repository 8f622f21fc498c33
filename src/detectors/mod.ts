/**
 * Detectors, one decoder a file. To add one: write the file and list its kind here.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import type { DetectorCard, Located } from "../runtime/card.ts";
import type { Backend } from "../runtime/session.ts";
import type { Detector, DetectorOptions } from "./detector.ts";
import { openFaceParts } from "./face_parts.ts";
import { openYolo } from "./yolo.ts";

export type { Box, Detections, Detector, DetectorOptions, Face, YoloProfile } from "./detector.ts";
export { refuseOptions } from "./detector.ts";
export type { BoxTable } from "./box_files/table.ts";
export { boxesDetector, inPixels, matchImages, readBoxes } from "./box_files/csv_and_coco.ts";
export { readClassNames } from "./box_files/open_images.ts";
export { readYoloFolder } from "./box_files/yolo_txt.ts";
export { FACE_PART_LABELS, openFaceParts } from "./face_parts.ts";
// The two nets that face parts are made of.
export { openFaceLandmarks } from "./face_landmarks.ts";
export { openTinyFace } from "./tiny_face.ts";
export { openYolo, YOLO_DEFAULTS } from "./yolo.ts";

/** How a detector is opened, by the `decoder.kind` of its card. */
export const DECODERS: Readonly<
  Record<
    string,
    (
      located: Located<DetectorCard>,
      backend: Backend,
      options?: DetectorOptions,
    ) => Promise<Detector>
  >
> = {
  "face-parts": openFaceParts,
  yolo: openYolo,
};

/**
 * Opens the detector of a card.
 *
 * @throws {ModelError} for a kind that is not listed, or as the detector itself
 * @throws {UsageError} for an option that the detector does not have
 */
export async function openDetector(
  located: Located<DetectorCard>,
  backend: Backend,
  options: DetectorOptions = {},
): Promise<Detector> {
  const { card } = located;
  const open = DECODERS[card.decoder.kind];
  if (!open) {
    throw new ModelError(
      `Cannot open detector ${card.name}: decoder kind ${
        JSON.stringify(card.decoder.kind)
      }; known are ${Object.keys(DECODERS).join(", ")}`,
    );
  }
  return await open(located, backend, options);
}
