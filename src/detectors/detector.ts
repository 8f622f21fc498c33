/**
 * What a detector is: an image in, labelled boxes (and the faces they belong to) out.
 *
 * @module
 */

import type { Json } from "../base/json.ts";
import type { Rect } from "../image/geometry.ts";
import type { CorpusImage } from "../image/image_file.ts";
import type { Orientation, RgbImage, Size } from "../image/image.ts";
import type { Card, DetectorCard, Located } from "../runtime/card.ts";
import type { Backend } from "../runtime/session.ts";

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

/** Settings of a detector that a run can choose, by name; which there are, its kind says. What is absent is as the card has it. */
export type DetectorOptions = Readonly<Record<string, string | number | undefined>>;

/** One setting that a run can choose. The table of options has its words too, and is read without loading any detector. */
export interface DetectorOption {
  readonly name: string;
  /** The values it can take: words, or a range of numbers. */
  readonly values: readonly string[] | { readonly min: number; readonly max: number };
  /** What `--help` says. */
  readonly help: string;
  /** Its value under presets; what is given takes precedence. */
  readonly presets?: Readonly<Record<string, string | number>>;
}

/** A kind of detector: what a card's `decoder.kind` names. */
export interface DecoderKind {
  readonly kind: string;
  /** What it is called in messages. */
  readonly title: string;
  readonly options: readonly DetectorOption[];
  /**
   * Opens a detector of this kind.
   *
   * @param options those of this kind, with values that they can take
   * @throws {ModelError} when its card or a network does not fit, or the backend refuses a model.
   */
  open(
    located: Located<DetectorCard>,
    backend: Backend,
    options: DetectorOptions,
  ): Promise<Detector>;
}

/** A detector, and remarks that a user should see once. */
export interface OpenedDetector {
  readonly detector: Detector;
  readonly notices: readonly string[];
}

/** How a detector is matched with images. */
export interface MatchOptions {
  /** All images, where only a part of them is run: which image a name means does not depend on the part. */
  readonly corpus?: readonly CorpusImage[] | undefined;
  /** Whether boxes outside of their picture are kept: in the paper's frame, they can lie in the bars of the letterbox. */
  readonly keepOutside?: boolean | undefined;
}

/** A detector, ready to run. */
export interface Detector {
  readonly name: string;
  /** Everything that determines its results, for keys by content: hashes of its models, all settings. */
  readonly key: Readonly<Record<string, Json>>;
  /** The cards of the networks that it runs; absent where it runs none, as a file of boxes. */
  readonly cards?: readonly Card[];
  /** Remarks on its networks that a user should see once. */
  readonly notices?: readonly string[];
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
   * The same detector for the images of a corpus, where it has to be matched with them before it can be used, as a file of boxes.
   *
   * @param orientation of the pictures, which boxes in fractions of them depend on
   * @throws {UsageError} when none of the images is in it.
   */
  match?(
    images: readonly CorpusImage[],
    orientation: Orientation,
    options?: MatchOptions,
  ): Promise<OpenedDetector>;
  /**
   * Finds what there is in an image.
   *
   * @param path of the image, relative to its corpus: what a file of boxes is looked up by
   */
  detect(image: RgbImage, path: string): Promise<Detections>;
  dispose(): Promise<void>;
}
