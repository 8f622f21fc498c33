/**
 * Files of boxes made elsewhere, one format a file. To add one: write the file and list it here.
 *
 * A malformed file stops before any work, with the line (or the place in the JSON) and the value met.
 *
 * @module
 */

import { sha256 } from "../../base/json.ts";
import { coco } from "./coco.ts";
import { csv } from "./csv.ts";
import { own } from "./own.ts";
import { openImages } from "./open_images.ts";
import { type BoxFormat, type BoxTable, boxTable, type ReadBoxOptions, textOf } from "./table.ts";

export { readYoloFolder } from "./yolo_txt.ts";

/** The formats of single files: the first that claims a text reads it. */
const BOX_FORMATS: readonly BoxFormat[] = [coco, openImages, own, csv];

/** The format of a file. @throws {UsageError} when it is not text. */
export function boxFormat(bytes: Uint8Array, origin: string): BoxFormat {
  const { text } = textOf(bytes, origin);
  return BOX_FORMATS.find((format) => format.claims(text))!;
}

/**
 * Reads a file of boxes; its first character tells JSON from CSV, its header Open Images' CSV from ours.
 *
 * @throws {UsageError} naming the line or place, the value met and what is expected; also when there are no boxes at all
 */
export function readBoxes(
  bytes: Uint8Array,
  origin: string,
  options: ReadBoxOptions = {},
): BoxTable {
  const { text, notice } = textOf(bytes, origin);
  const parts = boxFormat(bytes, origin).read(text, origin, options);
  const notices = [...notice === undefined ? [] : [notice], ...parts.notices ?? []];
  return boxTable(origin, sha256(bytes), { ...parts, notices });
}
