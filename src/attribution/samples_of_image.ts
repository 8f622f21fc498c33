/**
 * The samples of one picture: what is detected in it, cut out of it and prepared for the classifier. A picture need not be a file: an
 * edited one goes the same way.
 *
 * @module
 */

import type { Classifier } from "../classifier/classifier.ts";
import type { Detections, Detector } from "../detectors/detector.ts";
import type { Picture, RgbImage } from "../image/image.ts";
import { prepare } from "../runtime/preprocess.ts";
import {
  type Crop,
  faceSamples,
  type PlacedSample,
  placeSample,
  type Sample,
  wholeImage,
} from "./samples.ts";

/** What is needed to cut samples out of a picture. */
interface Sampling {
  readonly classifier: Classifier;
  /** Gives the boxes. */
  readonly detector: Detector;
  /** Finds the faces that are cut out; absent where the whole picture is the sample. May be the detector itself. */
  readonly faceFinder?: Detector;
  readonly crop?: Crop;
}

/** What is known of a picture beforehand, and is not detected again: of an edited one, the boxes of the original. */
interface KnownDetections {
  readonly detection?: Detections;
  readonly faces?: Detections;
}

/** One sample, ready for a batch. */
export interface ReadySample extends PlacedSample {
  readonly sample: Sample;
  /** [C, H, W]. */
  readonly input: Float32Array;
}

/** The samples of a picture, with all its boxes. */
interface SampledPicture {
  readonly detection: Detections;
  readonly samples: readonly ReadySample[];
}

/**
 * Detects boxes and, where samples are faces, faces, unless they are known.
 *
 * @param image may be absent where all is known
 * @param path of the image, which a file of boxes is looked up by
 * @throws {ImageError} when a detector cannot use the picture.
 */
export async function detectIn(
  { detector, faceFinder }: Pick<Sampling, "detector" | "faceFinder">,
  image: RgbImage | undefined,
  path: string,
  known: KnownDetections = {},
): Promise<{ detection: Detections; faces?: Detections }> {
  const ask = (asked: Detector) => asked.detect(image!, path);
  const detection = known.detection ?? await ask(detector);
  if (!faceFinder) return { detection };
  if (faceFinder === detector) return { detection, faces: detection };
  return { detection, faces: known.faces ?? await ask(faceFinder) };
}

/** The pixels of a sample as the classifier takes them, [C, H, W]. */
export function inputOf(
  { card, meanImage }: Classifier,
  image: RgbImage,
  { region }: Sample,
): Float32Array {
  return prepare(image, region, card.input, meanImage);
}

/**
 * Detects, cuts and prepares the samples of a picture.
 *
 * @throws {ImageError} with the reason when a detector cannot use the picture.
 */
export async function samplesOfImage(
  sampling: Sampling,
  { image, key, path }: Picture,
  known: KnownDetections = {},
): Promise<SampledPicture> {
  const { classifier, crop } = sampling;
  const { detection, faces } = await detectIn(sampling, image, path ?? "", known);
  const samples = faces ? faceSamples(faces.faces, crop!) : wholeImage(image);
  return {
    detection,
    samples: samples.map((sample, index) => ({
      ...placeSample(classifier, key, sample, index, detection.boxes),
      sample,
      input: inputOf(classifier, image, sample),
    })),
  };
}
