/**
 * The samples of one image outside of a stream: read, decoded, detected, cut and prepared.
 *
 * @module
 */

import { sha256 } from "../base/json.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { Box, Detector } from "../detectors/detector.ts";
import { decodeImage } from "../image/decode.ts";
import { placeRect } from "../image/geometry.ts";
import type { RgbImage } from "../image/image.ts";
import { inputPlacement, prepare } from "../runtime/preprocess.ts";
import type { SampleBox } from "./batch.ts";
import { type CorpusImage, readImageFile } from "../image/image_file.ts";
import { belongsTo, type Crop, faceSamples, type Sample, wholeImage } from "./samples.ts";

/** What is needed to cut samples out of an image. */
export interface Sampling {
  readonly classifier: Classifier;
  readonly detector: Detector;
  readonly faceFinder?: Detector;
  readonly crop?: Crop;
  readonly orientation: "exif" | "stored";
}

/** One sample, ready for a batch. */
export interface ReadySample {
  readonly sample: Sample;
  /** What it is, whatever its place in a batch. */
  readonly key: string;
  /** [C, H, W]. */
  readonly input: Float32Array;
  readonly boxes: readonly SampleBox[];
}

/** An image with its samples. */
export interface SampledImage {
  readonly image: RgbImage;
  readonly boxes: readonly Box[];
  readonly samples: readonly ReadySample[];
}

/**
 * Reads an image and prepares its samples.
 *
 * @throws {ImageError} with the reason when the image cannot be used.
 */
export async function samplesOfImage(
  { classifier, detector, faceFinder, crop, orientation }: Sampling,
  { path, file }: CorpusImage,
): Promise<SampledImage> {
  const bytes = await readImageFile(file);
  const image = await decodeImage(bytes, { orientation });
  const { boxes, faces } = await detector.detect(image, path);
  const samples = !faceFinder ? wholeImage(image) : faceSamples(
    faceFinder === detector ? faces : (await faceFinder.detect(image, path)).faces,
    crop!,
  );
  const spec = classifier.card.input;
  const hash = sha256(bytes);
  return {
    image,
    boxes,
    samples: samples.map((sample, index) => {
      const toInput = inputPlacement(sample.region, spec);
      return {
        sample,
        key: `${hash}#${index}`,
        input: prepare(image, sample.region, spec, classifier.meanImage),
        boxes: boxes.flatMap((box, place) =>
          belongsTo(box, sample)
            ? [{ box: place, rect: placeRect(toInput, box), onImage: box }]
            : []
        ),
      };
    }),
  };
}
