/**
 * A file or folder of boxes, named in place of a detector.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { mapConcurrently } from "../../base/concurrency.ts";
import { messageOf, UsageError } from "../../base/errors.ts";
import { sha256 } from "../../base/json.ts";
import { type CorpusImage, readImageFile } from "../../image/image_file.ts";
import {
  boxesDetector,
  type BoxTable,
  type Detector,
  inPixels,
  matchImages,
  readBoxes,
  readClassNames,
  readYoloFolder,
} from "../mod.ts";
import { imageSize } from "../../image/decode.ts";
import { isFolder } from "../../base/files.ts";
import type { Orientation, Size } from "../../image/image.ts";

/** Open Images' list of label names, beside its boxes. */
const CLASS_NAMES = /class-descriptions.*\.csv$/i;
/** Headers that are read at a time. */
const HEADERS_AT_A_TIME = 8;

/**
 * Opens boxes made elsewhere: `.csv` (ours or Open Images'), `.json` (COCO), or a folder of YOLO's text files, which is named with a slash
 * (`labels/`).
 *
 * @param images of the run, which are matched with the table's.
 * @param notices to which remarks are added: images without boxes, labels without names.
 * @returns nothing where the name is none of these: a detector's name or card.
 * @throws {UsageError} saying what cannot be used, also when no image of the run has boxes.
 */
export async function openBoxes(
  name: string,
  images: readonly CorpusImage[],
  notices: string[],
  orientation: Orientation,
): Promise<Detector | undefined> {
  const table = await readTable(name, notices);
  if (table === undefined) return undefined;
  const paths = images.map(({ path }) => path);
  const matches = matchImages(table, paths);
  if (matches.size === 0) {
    const [first] = table.images.keys();
    throw new UsageError(
      `Cannot use the boxes of ${name}: none of its ${table.images.size} images (${first} …) is in the corpus (${
        paths[0]
      } …); write paths as the corpus has them`,
    );
  }
  if (matches.size < paths.length) {
    notices.push(`${name} has boxes for ${matches.size} of ${paths.length} images`);
  }
  const pixels = table.relative
    ? inPixels(table, await sizesOf(images, matches, orientation))
    : table;
  return boxesDetector(pixels, paths);
}

async function readTable(name: string, notices: string[]): Promise<BoxTable | undefined> {
  if (!/\.(csv|json)$/i.test(name)) {
    return /[\\/]/.test(name) && await isFolder(name) ? await readYoloFolder(name) : undefined;
  }
  const bytes = await readFile(name);
  if (isCard(name, bytes)) return undefined;
  const table = readBoxes(bytes, name);
  if (table.leftOut !== undefined) {
    notices.push(`${name}: boxes without width or height are left out (${table.leftOut})`);
  }
  if (!table.stems) return table;
  const file = await namesBeside(name);
  if (file === undefined) {
    notices.push(
      `${name}: labels are Open Images' codes; put class-descriptions-boxable.csv beside it for their names`,
    );
    return table;
  }
  const list = await readFile(file);
  const named = readBoxes(bytes, name, readClassNames(list, file));
  return { ...named, sha256: sha256(`${named.sha256} ${sha256(list)}`) };
}

async function namesBeside(file: string): Promise<string | undefined> {
  const found: string[] = [];
  for await (const { name, isFile } of Deno.readDir(dirname(file))) {
    if (isFile && CLASS_NAMES.test(name) && name !== basename(file)) found.push(name);
  }
  return found.length === 0 ? undefined : join(dirname(file), found.sort()[0]);
}

/** Sizes of the images that have boxes, by the table's names; one that cannot be read fails later with its reason. */
async function sizesOf(
  images: readonly CorpusImage[],
  matches: ReadonlyMap<string, string>,
  orientation: Orientation,
): Promise<Map<string, Size>> {
  const sizes = new Map<string, Size>();
  await mapConcurrently(images, HEADERS_AT_A_TIME, async ({ path, file, refused }) => {
    const match = matches.get(path);
    if (match === undefined || refused !== undefined) return;
    try {
      sizes.set(match, await imageSize(await readImageFile(file), orientation));
    } catch {
      // its row will say why
    }
  });
  return sizes;
}

async function readFile(name: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(name);
  } catch (error) {
    throw new UsageError(`Cannot read detector ${name}: ${messageOf(error)}`);
  }
}

/** Whether a JSON file is a model card rather than boxes. */
function isCard(name: string, bytes: Uint8Array): boolean {
  if (!name.toLowerCase().endsWith(".json")) return false;
  try {
    return "task" in JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return false;
  }
}
