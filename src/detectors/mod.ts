/**
 * Detectors, one decoder a file. To add one: write the file and list its kind here.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import type { DetectorCard } from "../runtime/card.ts";
import type { Backend } from "../runtime/session.ts";
import type { Detector } from "./detector.ts";
import { openFaceParts } from "./face_parts.ts";

export type { Box, Detections, Detector, Face } from "./detector.ts";
export { boxesDetector, type BoxTable, matchImages, readBoxes } from "./boxes_file.ts";
export { FACE_PART_LABELS, openFaceParts } from "./face_parts.ts";
// The two nets that face parts are made of.
export { openFaceLandmarks } from "./face_landmarks.ts";
export { openTinyFace } from "./tiny_face.ts";

/** How a detector is opened, by the `decoder.kind` of its card. */
export const DECODERS: Readonly<
  Record<string, (card: DetectorCard, backend: Backend) => Promise<Detector>>
> = {
  "face-parts": openFaceParts,
};

/**
 * Opens the detector of a card.
 *
 * @throws {ModelError} for a kind that is not listed, or as the detector itself
 */
export function openDetector(card: DetectorCard, backend: Backend): Promise<Detector> {
  const open = DECODERS[card.decoder.kind];
  if (!open) {
    throw new ModelError(
      `Cannot open detector ${card.name}: decoder kind ${
        JSON.stringify(card.decoder.kind)
      }; known are ${Object.keys(DECODERS).join(", ")}`,
    );
  }
  return open(card, backend);
}
