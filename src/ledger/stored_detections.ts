/**
 * Detections on their way into the ledger and out of it.
 *
 * @module
 */

import { z } from "zod";
import type { Box, Face } from "../detectors/detector.ts";
import { type BoxRow, damaged, type DetectionRow } from "./rows.ts";

/** What a detector said of an image. */
export interface Found {
  readonly boxes: readonly Box[];
  readonly faces: readonly Face[];
  /** The boxes' ids, where the ledger has them already. */
  readonly ids?: readonly number[];
}

/** A face as the ledger keeps it. */
interface StoredFace {
  confidence: number;
  box: Face["box"];
  landmarks: number[];
}

const corner = z.number();
const facesSchema = z.array(z.object({
  confidence: z.number(),
  box: z.object({ x0: corner, y0: corner, x1: corner, y1: corner }),
  // NaN has no JSON form but null.
  landmarks: z.array(z.number().nullable()),
}));

/** As the ledger keeps them. */
export function stored({ boxes, faces }: Found): { boxes: readonly Box[]; faces: StoredFace[] } {
  return {
    boxes,
    faces: faces.map(({ confidence, box, landmarks }) => ({
      confidence,
      box,
      landmarks: Array.from(landmarks),
    })),
  };
}

/** As a detector gives them, with the ids of the boxes. */
export function restored({ boxes, faces }: DetectionRow): Found {
  return {
    boxes: boxes.map(withoutUndefined),
    faces: facesFrom(faces),
    ids: boxes.map(({ id }) => id),
  };
}

/** Whether two lists of boxes are the same, in the same order. */
export function sameBoxes(a: readonly Box[], b: readonly Box[]): boolean {
  const keys = ["label", "confidence", "x0", "y0", "x1", "y1", "face"] as const;
  return a.length === b.length && a.every((box, i) => keys.every((key) => box[key] === b[i][key]));
}

/** A stored box as a detector gives it. */
function withoutUndefined({ label, confidence, x0, y0, x1, y1, face }: BoxRow): Box {
  return { label, confidence, x0, y0, x1, y1, ...(face !== undefined ? { face } : {}) };
}

function facesFrom(value: unknown): Face[] {
  const faces = facesSchema.safeParse(value ?? []);
  if (!faces.success) return damaged("detection");
  return faces.data.map(({ confidence, box, landmarks }) => ({
    confidence,
    box,
    landmarks: Float32Array.from(landmarks, (value) => value ?? NaN),
  }));
}
