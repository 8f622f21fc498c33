/**
 * A table of boxes as a detector: its images are matched with those of a corpus by their paths.
 *
 * @module
 */

import type { Size } from "../../image/image.ts";
import type { Box, Detections, Detector } from "../detector.ts";
import { joinImages } from "./_join.ts";
import type { BoxTable } from "./table.ts";

/**
 * Which of the file's images is meant by each path of a corpus: see {@linkcode joinImages}. Of several names for one image, it is the first.
 *
 * @param paths of the whole corpus (also when a shard of it is run), relative to it
 * @returns the file's name of each path that has one; its size is how many images match
 */
export function matchImages(table: BoxTable, paths: readonly string[]): Map<string, string> {
  const { matches } = joinImages(table, paths.map((path) => ({ path })));
  return new Map(
    [...matches].flatMap(([path, [name]]) => name === undefined ? [] : [[path, name]]),
  );
}

/**
 * The table with its boxes in image pixels. Images without a size, because they cannot be read, keep no boxes.
 *
 * @param sizes by the table's names
 */
export function inPixels(
  table: BoxTable,
  sizes: ReadonlyMap<string, Size>,
): BoxTable {
  if (!table.relative) return table;
  const images = new Map<string, readonly Box[]>();
  for (const [name, boxes] of table.images) {
    const size = sizes.get(name);
    images.set(
      name,
      size === undefined ? [] : boxes.map((box) => ({
        ...box,
        x0: box.x0 * size.width,
        y0: box.y0 * size.height,
        x1: box.x1 * size.width,
        y1: box.y1 * size.height,
      })),
    );
  }
  const { relative: _, ...rest } = table;
  return { ...rest, images };
}

/**
 * A file of boxes as a detector. Images that the file does not name have no boxes; ask {@linkcode matchImages} how many there are.
 *
 * @param paths of the whole corpus
 */
export function boxesDetector(table: BoxTable, paths: readonly string[]): Detector {
  return matchedDetector(table, joinImages(table, paths.map((path) => ({ path }))).matches);
}

/**
 * A file of boxes as a detector, matched.
 *
 * @param matches the table's names of each path of a corpus
 */
export function matchedDetector(
  table: BoxTable,
  matches: ReadonlyMap<string, readonly string[]>,
): Detector {
  if (table.relative) throw new RangeError(`Cannot look up ${table.origin}: not in pixels`);
  const lookUp = (path: string): Detections => ({
    boxes: (matches.get(path) ?? []).flatMap((name) => table.images.get(name)!),
    faces: [],
  });
  return {
    name: table.origin,
    key: { detector: "boxes-file", version: 1, sha256: table.sha256, ...table.settings },
    labels: table.labels,
    lookUp,
    detect: (_image, path) => Promise.resolve(lookUp(path)),
    dispose: () => Promise.resolve(),
  };
}
