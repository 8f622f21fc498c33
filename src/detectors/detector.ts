/**
 * What a detector is: an image in, labelled boxes (and the faces they belong to) out.
 *
 * @module
 */

import { UsageError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import type { Rect } from "../image/geometry.ts";
import type { RgbImage, Size } from "../image/image.ts";

/** One detected object, in image pixels. */
export interface Box extends Rect {
  readonly label: string;
  /** 0..1. */
  readonly confidence: number;
  /** Index of the face it is a part of, where it is. */
  readonly face?: number;
}

/** One detected face. */
export interface Face {
  /** 0..1. */
  readonly confidence: number;
  /** The detector's box, in image pixels. */
  readonly box: Rect;
  /** 68 points x0, y0, x1, y1, … in image pixels; empty where no landmark net was run. */
  readonly landmarks: Float32Array;
}

/** What was found in one image. */
export interface Detections {
  readonly boxes: readonly Box[];
  /** Faces, for classifiers that see one face at a time; empty for detectors of other objects. */
  readonly faces: readonly Face[];
}

/** How the heads of a YOLO are read: as Darknet does, or as lightnet (the paper). */
export type YoloProfile = "darknet" | "lightnet";

/** Settings of a detector that a run can choose; what is absent is as the detector's card or profile has it. */
export interface DetectorOptions {
  readonly profile?: YoloProfile;
  /** Boxes must be over this confidence, 0…1. */
  readonly confidence?: number;
  /** Of two boxes of a class whose intersection over union is over this, 0…1, the worse goes. */
  readonly nms?: number;
}

/** A detector, ready to run. */
export interface Detector {
  readonly name: string;
  /** Everything that determines its results, for keys by content: hashes of its models, all settings. */
  readonly key: Readonly<Record<string, Json>>;
  /** The labels it can give, where they are known beforehand. */
  readonly labels?: readonly string[];
  /** The size of the network's input, for a detector that letterboxes: the frame in which the paper takes box means. */
  readonly frame?: Size;
  /**
   * Where its answer follows from the path alone, as with a file of boxes: that answer. Equal pictures can then have other
   * boxes under other paths.
   */
  lookUp?(path: string): Detections;
  /**
   * Finds what there is in an image.
   *
   * @param path of the image, relative to its corpus: what a file of boxes is looked up by
   */
  detect(image: RgbImage, path: string): Promise<Detections>;
  dispose(): Promise<void>;
}

/**
 * For detectors that have none of these settings.
 *
 * @throws {UsageError} when one is asked for: a result that does not follow an option would be a wrong one.
 */
export function refuseOptions(name: string, options: DetectorOptions): void {
  const asked = Object.entries(options).find(([, value]) => value !== undefined);
  if (!asked) return;
  throw new UsageError(
    `Cannot use --${asked[0]} ${
      asked[1]
    } with detector ${name}: only YOLO detectors have it; leave it out`,
  );
}
