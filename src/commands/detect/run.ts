/**
 * `detect`: the boxes of images, printed or written.
 *
 * @module
 */

import { basename, dirname, resolve } from "node:path";
import { ImageError, UsageError } from "../../base/errors.ts";
import { findImages } from "../../corpora/find_images.ts";
import { type CorpusImage, readImageFile } from "../../image/image_file.ts";
import { type Detector, detectorOptions, findDetector } from "../../detectors/mod.ts";
import { closeGpu } from "../../gpu/device.ts";
import { decodeImage } from "../../image/decode.ts";
import { chooseBackend } from "../../runtime/open.ts";
import { type DetectedImage, fileOutput, printed } from "./output.ts";
import { pictureNotices } from "../../run/open.ts";
import { legible } from "../../base/legible.ts";
import type { Orientation } from "../../image/image.ts";
import type { ParsedOptions } from "../../run/options/mod.ts";
import { isFolder } from "../../base/files.ts";
import { OwnedFolder } from "../../base/owned_folder.ts";
import { inputsIn } from "../../run/own_files.ts";
import { flag } from "../../base/flag.ts";
import { printFailure } from "../terminal.ts";

/** Options of `detect`, parsed. */
export type DetectRunOptions = ParsedOptions<"detect">;

/**
 * Finds the boxes of images, in order, and gives each image's on as soon as it is done. An image that cannot be used is a line on
 * standard error.
 *
 * @returns the exit status: 0 when all or some images succeeded, 1 when none did.
 * @throws {UsageError} and ModelError when something asked for cannot be used.
 */
export async function runDetect(
  paths: readonly string[],
  options: DetectRunOptions,
): Promise<number> {
  const { out, json = false } = options;
  const found: string[] = [];
  const images = await findImages(paths, { note: (notice) => found.push(notice) });
  await refuseOverwriting(out, images, [...paths, options.detector]);
  const { backend } = await chooseBackend(options.backend);
  const remarks = await pictureNotices();
  const { detector, notices } = await findDetector(options.detector, images, {
    backend,
    options: detectorOptions({ ...options }),
    orientation: options.orientation,
  });
  for (const notice of [...found, ...remarks, ...notices]) {
    console.error(`note: ${legible(notice)}`);
  }
  try {
    const output = out === undefined ? printed(json) : await fileOutput(out);
    let failed = 0, boxes = 0;
    try {
      for (const image of images) {
        try {
          const detected = await detectImage(detector, image, options.orientation);
          output.add(detected);
          boxes += detected.boxes.length;
        } catch (error) {
          if (!(error instanceof ImageError)) throw error;
          printFailure(image.path, error.message);
          failed++;
        }
      }
    } catch (error) {
      output.abandon();
      throw error;
    }
    output.end();
    if (out !== undefined) {
      const what = failed > 0 ? `, ${failed} failed` : "";
      console.error(
        `${images.length} ${images.length === 1 ? "image" : "images"}${what}, ${boxes} boxes: ${
          legible(out)
        }`,
      );
    }
    return failed === images.length ? 1 : 0;
  } finally {
    await detector.dispose();
    await closeGpu();
  }
}

/** @throws {ImageError} when the image cannot be read, decoded or used by the detector. */
async function detectImage(
  detector: Detector,
  { path, file, refused }: CorpusImage,
  orientation: Orientation,
): Promise<DetectedImage> {
  if (refused !== undefined) throw new ImageError(refused);
  const picture = await decodeImage(await readImageFile(file), { orientation });
  const { boxes } = await detector.detect(picture, path);
  return { image: path, width: picture.width, height: picture.height, boxes };
}

/** @throws {UsageError} when the file to be written is one of the inputs, or one that emocam did not write. */
async function refuseOverwriting(
  out: string | undefined,
  images: readonly CorpusImage[],
  further: readonly string[],
): Promise<void> {
  if (out === undefined || out.trim() === "" || await isFolder(out)) return;
  const refuse = (why: string) => {
    throw new UsageError(
      `Cannot write boxes to ${flag("out")} ${JSON.stringify(out)}: ${why}; give another file`,
    );
  };
  if (images.some(({ file }) => resolve(file) === resolve(out))) refuse("it is one of the images");
  const folder = dirname(out), name = basename(out);
  const inputs = [...images.map(({ file }) => file), ...further];
  if ((await inputsIn(folder, inputs, (own) => own === name)).length > 0) {
    refuse("it is an input of this command");
  }
  if (new OwnedFolder(folder).find(name) === "foreign") {
    refuse("it was not written by emocam, or was changed since");
  }
}
