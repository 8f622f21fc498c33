/**
 * Boxes as COCO's JSON: `images` (id, file_name and, where known, width and height), `categories` (id, name), `annotations` (image_id,
 * category_id, bbox [x, y, width, height], iscrowd and, as in result files, score; 1 where it is absent). Boxes without width or height, of
 * which the published annotations have some, are left out.
 *
 * @module
 */

import { z } from "zod";
import { tidy } from "../../base/text.ts";
import { messageOf, UsageError } from "../../base/errors.ts";
import type { Size } from "../../image/image.ts";
import {
  type BoxFormat,
  BoxList,
  type BoxTableParts,
  normal,
  type ReadBoxOptions,
  refuse,
} from "./table.ts";

const id = z.union([z.number(), z.string()]);
/** JSON has no NaN. */
const corner = z.number().nullable().transform((value) => value ?? NaN);

const cocoSchema = z.object({
  images: z.array(z.object({
    id,
    file_name: z.string().trim().min(1),
    // Whatever cannot be a size counts as none: many files have 0, null or text here.
    width: z.coerce.number().optional().catch(undefined),
    height: z.coerce.number().optional().catch(undefined),
  })),
  categories: z.array(z.object({ id, name: z.string().trim().min(1) })),
  annotations: z.array(z.object({
    image_id: id,
    category_id: id,
    bbox: z.tuple([corner, corner, corner, corner]),
    iscrowd: z.union([z.number(), z.boolean()]).optional().catch(undefined),
    score: z.number().optional(),
  })),
});

/** COCO, as annotations or with the scores of results. */
export const coco: BoxFormat = {
  title: "COCO JSON",
  claims: (text) => /^\s*[[{]/.test(text),
  read: readCoco,
};

function readCoco(text: string, origin: string, options: ReadBoxOptions): BoxTableParts {
  let json: unknown;
  try {
    json = parseJson(text);
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
  const labels = unique(origin, "categories", categories.map(({ id, name }) => [id, tidy(name)]));
  const list = new BoxList(origin, options);
  for (const name of names.values()) list.image(name);
  if (list.images.size !== names.size) {
    const twice = images.map(({ file_name }) => normal(file_name))
      .find((name, i, all) => all.indexOf(name) !== i);
    refuse(origin, "images", `file_name ${JSON.stringify(twice)} occurs twice`);
  }
  annotations.forEach(({ image_id, category_id, bbox, score, iscrowd }, i) => {
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
    const box = { label, confidence: score ?? 1, x0, y0, x1: x0 + width, y1: y0 + height };
    list.add(image, where, box, Boolean(iscrowd));
  });
  const sizes = new Map<string, Size>();
  for (const { id, width, height } of images) {
    if (width && height && width > 0 && height > 0) sizes.set(names.get(id)!, { width, height });
  }
  return { ...list.parts(), ...sizes.size > 0 ? { sizes } : {} };
}

/** JSON, also as Python writes it where a number is NaN or infinite: as nothing. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const plain = text.replace(
      /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g,
      (found) => found.startsWith('"') ? found : "null",
    );
    if (plain === text) throw error;
    return JSON.parse(plain);
  }
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
  refuse(origin, where, `id ${JSON.stringify(twice[0])} occurs twice`);
}
