/**
 * A table of boxes as a detector: its images are matched with those of a corpus by their paths.
 *
 * @module
 */

import type { Size } from "../../image/image.ts";
import { basename } from "node:path/posix";
import type { Box, Detections, Detector } from "../detector.ts";
import { type BoxTable, normal, stemOf } from "./table.ts";

/**
 * Which of the file's images is meant by each path of a corpus: the one of exactly that relative path, else the one of the same
 * file name, if that name is left once in the file and once in the corpus. A table that names images without their endings is matched
 * without them.
 *
 * @param paths of the whole corpus (also when a shard of it is run), relative to it
 * @returns the file's name of each path that has one; its size is how many images match
 */
export function matchImages(table: BoxTable, paths: readonly string[]): Map<string, string> {
  const named = table.stems ? (path: string) => stemOf(normal(path)) : normal;
  const matches = new Map<string, string>();
  const left: string[] = [];
  for (const [exact, same] of Map.groupBy(paths, named)) {
    // Without their endings two paths can be called the same: which of them is meant cannot be told.
    if (table.images.has(exact) && same.length === 1) matches.set(same[0], exact);
    else left.push(...same);
  }
  const taken = new Set(matches.values());
  const inFile = byName(
    [...table.images.keys()].filter((image) => !taken.has(image)),
    (path) => path,
  );
  for (const [name, candidates] of byName(left, named)) {
    const images = inFile.get(name);
    if (candidates.length === 1 && images?.length === 1) matches.set(candidates[0], images[0]);
  }
  return matches;
}

function byName(
  paths: readonly string[],
  named: (path: string) => string,
): Map<string, string[]> {
  return Map.groupBy(paths, (path) => basename(named(path)));
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
  if (table.relative) throw new RangeError(`Cannot look up ${table.origin}: not in pixels`);
  const matches = matchImages(table, paths);
  const lookUp = (path: string): Detections => {
    const image = matches.get(path);
    return { boxes: image === undefined ? [] : table.images.get(image)!, faces: [] };
  };
  return {
    name: table.origin,
    key: { detector: "boxes-file", version: 1, sha256: table.sha256 },
    labels: table.labels,
    lookUp,
    detect: (_image, path) => Promise.resolve(lookUp(path)),
    dispose: () => Promise.resolve(),
  };
}
