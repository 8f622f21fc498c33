/**
 * `images.csv`: the images of a run, failed ones too.
 *
 * @module
 */

import { NOTHING, type Output } from "./output.ts";
import type { RunImageRow } from "../ledger/rows.ts";
import { type Destination, mapRows, writeTable } from "./table.ts";

/** Columns of `images.csv` that every run has. */
export const IMAGE_HEADER: readonly string[] = [
  "path",
  "status",
  "error",
  "width",
  "height",
  "orientation",
  "sha256",
  "samples",
];

/**
 * images.csv: one row an image, failed ones too: path, status, error, width, height, orientation, sha256, samples, then the corpus's own
 * columns. One of those that has a name of ours is written as `annotation.NAME`.
 *
 * @param annotations names of the corpus's columns: `run.annotationNames()`.
 */
export function writeImages(
  to: Destination,
  images: Iterable<RunImageRow>,
  annotations: readonly string[],
): number {
  const header = annotations.map((name) =>
    IMAGE_HEADER.includes(name) ? `annotation.${name}` : name
  );
  return writeTable(
    to,
    [...IMAGE_HEADER, ...header],
    mapRows(images, (image) => [
      image.path,
      image.status,
      image.error,
      image.width,
      image.height,
      image.orientation,
      image.sha256,
      image.samples,
      ...annotations.map((name) => image.annotation?.[name]),
    ]),
  );
}

/** The output `images.csv`. */
export const images: Output = {
  file: "images.csv",
  write(folder, { run }) {
    writeImages(folder.file("images.csv"), run.images(), run.annotationNames());
    return NOTHING;
  },
};
