/**
 * What a detector is: an image in, labelled boxes (and the faces they belong to) out.
 *
 * @module
 */

import type { Json } from "../base/json.ts";
import type { Rect } from "../image/geometry.ts";
import type { RgbImage } from "../image/image.ts";

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

/** A detector, ready to run. */
export interface Detector {
  readonly name: string;
  /** Everything that determines its results, for keys by content: hashes of its models, all settings. */
  readonly key: Readonly<Record<string, Json>>;
  /** The labels it can give, where they are known beforehand. */
  readonly labels?: readonly string[];
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
