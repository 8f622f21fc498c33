/**
 * Boxes made elsewhere: a CSV file or COCO JSON in place of a detector.
 *
 * - CSV with the header `image,label,confidence,x0,y0,x1,y1` (any order, more columns are ignored); corners in image pixels.
 * - Open Images' CSV (see boxes_open_images.ts).
 * - COCO: `images` (id, file_name), `categories` (id, name), `annotations` (image_id, category_id, bbox [x, y, width, height]
 *   and, as in result files, score; 1 where it is absent). Boxes without width or height, of which the published annotations have
 *   some, are left out.
 *
 * A malformed file stops before any work, with the line (or the place in the JSON) and the value met.
 *
 * @module
 */

import { basename } from "node:path/posix";
import { z } from "zod";
import { messageOf, UsageError } from "../../base/errors.ts";
import { sha256 } from "../../base/json.ts";
import {
  type BoxTable,
  boxTable,
  type BoxTableParts,
  checked,
  csvRecords,
  decimal,
  normal,
  refuse,
  stemOf,
  utf8,
} from "./table.ts";
import { isOpenImages, openImagesBoxes } from "./open_images.ts";
import type { Box, Detections, Detector } from "../detector.ts";
import type { Size } from "../../image/image.ts";

/**
 * Reads a file of boxes; its first character tells JSON from CSV, its header Open Images' CSV from ours.
 *
 * @param classNames the names of Open Images' label codes.
 * @throws {UsageError} naming the line or place, the value met and what is expected; also when there are no boxes at all
 */
export function readBoxes(
  bytes: Uint8Array,
  origin: string,
  classNames?: ReadonlyMap<string, string>,
): BoxTable {
  const text = utf8(bytes, origin);
  const read = /^\s*[[{]/.test(text) ? readCoco(text, origin) : readCsv(text, origin, classNames);
  return boxTable(origin, sha256(bytes), read instanceof Map ? { images: read } : read);
}

const COLUMNS = ["image", "label", "confidence", "x0", "y0", "x1", "y1"] as const;

function readCsv(
  text: string,
  origin: string,
  classNames?: ReadonlyMap<string, string>,
): Map<string, Box[]> | BoxTableParts {
  const records = csvRecords(text, origin);
  const header = records.shift()?.record ?? [];
  if (isOpenImages(header)) return openImagesBoxes(header, records, origin, classNames);
  const missing = COLUMNS.filter((column) => !header.includes(column));
  if (missing.length) {
    throw new UsageError(
      `Cannot read boxes from ${origin}: column ${missing.join(", ")} missing in the header ${
        JSON.stringify(header.join(","))
      }; expected ${COLUMNS.join(",")}`,
    );
  }
  const images = new Map<string, Box[]>();
  for (const { info, record } of records) {
    const where = `line ${info.lines}`;
    if (record.length !== header.length) {
      refuse(origin, where, `${record.length} fields, the header has ${header.length}`);
    }
    const field = (column: typeof COLUMNS[number]) => record[header.indexOf(column)];
    const number = (column: typeof COLUMNS[number]) => {
      const value = decimal(field(column));
      if (!Number.isFinite(value)) {
        refuse(origin, where, `${column} is ${JSON.stringify(field(column))}, not a number`);
      }
      return value;
    };
    const image = normal(field("image"));
    if (image === "") refuse(origin, where, "the image is empty");
    const box = checked(origin, where, {
      label: field("label"),
      confidence: number("confidence"),
      x0: number("x0"),
      y0: number("y0"),
      x1: number("x1"),
      y1: number("y1"),
    });
    const boxes = images.get(image);
    if (boxes) boxes.push(box);
    else images.set(image, [box]);
  }
  return images;
}

const id = z.union([z.number(), z.string()]);
const cocoSchema = z.object({
  images: z.array(z.object({ id, file_name: z.string().trim().min(1) })),
  categories: z.array(z.object({ id, name: z.string().trim().min(1) })),
  annotations: z.array(z.object({
    image_id: id,
    category_id: id,
    bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
    score: z.number().optional(),
  })),
});

function readCoco(text: string, origin: string): BoxTableParts {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`Cannot read boxes from ${origin}: not JSON (${messageOf(error)})`);
  }
  if (Array.isArray(json)) {
    refuse(
      origin,
      "top level",
      "it is a list, as results without images and categories are; give them as the annotations of an object that has images and categories too",
    );
  }
  const result = cocoSchema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    const where = pathText(issue.path) || "top level";
    const value = JSON.stringify(issue.path.reduce<unknown>(inside, json)) ?? "nothing";
    refuse(origin, where, `${issue.message}, but found ${value.slice(0, 60)}`);
  }
  const { images, categories, annotations } = result.data;
  const names = unique(
    origin,
    "images",
    images.map(({ id, file_name }) => [id, normal(file_name)]),
  );
  const labels = unique(origin, "categories", categories.map(({ id, name }) => [id, name]));
  const boxes = new Map<string, Box[]>([...names.values()].map((name) => [name, []]));
  if (boxes.size !== names.size) {
    const twice = images.map(({ file_name }) => normal(file_name))
      .find((name, i, all) => all.indexOf(name) !== i);
    refuse(origin, "images", `file_name ${JSON.stringify(twice)} stands twice`);
  }
  let leftOut = 0;
  annotations.forEach(({ image_id, category_id, bbox, score }, i) => {
    const where = `annotations[${i}]`;
    const image = names.get(image_id);
    const label = labels.get(category_id);
    if (image === undefined) {
      refuse(origin, where, `image_id ${JSON.stringify(image_id)} is not among the images`);
    }
    if (label === undefined) {
      refuse(
        origin,
        where,
        `category_id ${JSON.stringify(category_id)} is not among the categories`,
      );
    }
    const [x0, y0, width, height] = bbox;
    if (width < 0 || height < 0) {
      refuse(origin, where, `bbox is [${bbox}]; width and height must not be below 0`);
    }
    if (width === 0 || height === 0) {
      leftOut++;
      return;
    }
    const box = { label, confidence: score ?? 1, x0, y0, x1: x0 + width, y1: y0 + height };
    boxes.get(image)!.push(checked(origin, where, box));
  });
  return leftOut > 0 ? { images: boxes, leftOut } : { images: boxes };
}

function inside(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("")
    .replace(/^\./, "");
}

function unique(
  origin: string,
  where: string,
  entries: readonly (readonly [string | number, string])[],
): Map<string | number, string> {
  const map = new Map(entries);
  if (map.size === entries.length) return map;
  const seen = new Set<string | number>();
  const twice = entries.find(([id]) => seen.size === seen.add(id).size)!;
  refuse(origin, where, `id ${JSON.stringify(twice[0])} stands twice`);
}

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
