/**
 * A file or folder of boxes, named instead of a detector.
 *
 * @module
 */

import type { Orientation, Size } from "../../image/image.ts";
import { basename, dirname, join } from "node:path";
import { mapConcurrently } from "../../base/concurrency.ts";
import { messageOf, UsageError } from "../../base/errors.ts";
import { sha256 } from "../../base/json.ts";
import { imageSize } from "../../image/decode.ts";
import { isFolder, pathFrom } from "../../base/files.ts";
import { type CorpusImage, readImageFile } from "../../image/image_file.ts";
import type { Detector, OpenedDetector } from "../detector.ts";
import { joinImages } from "./_join.ts";
import { joinNotices, nothingMatched } from "./_join_notices.ts";
import { boxesDetector, inPixels, matchedDetector } from "./match.ts";
import { boxFormat, readBoxes, readYoloFolder } from "./mod.ts";
import { type BoxFormat, type BoxTable, textOf } from "./table.ts";

/** Headers that are read at a time. */
const HEADERS_AT_A_TIME = 8;

/**
 * Opens boxes made elsewhere: `.csv` (ours or Open Images'), `.json` (COCO), or a folder of YOLO's text files, which is named with a slash
 * (`labels/`). It can be used once it is matched with the images of a corpus (`match`), which also says how many of them have boxes.
 *
 * @returns nothing where the name is none of these: a detector's name or card. Notices are of boxes left out and labels without names.
 * @throws {UsageError} saying what cannot be used.
 */
export async function openBoxes(
  name: string,
  base?: string,
): Promise<OpenedDetector | undefined> {
  const read = await readTable(name, base);
  if (!read) return undefined;
  const { table, notices } = read;
  const folders = [base ?? ".", dirname(pathFrom(base, name))];
  return { detector: unmatched({ ...table, folders }), notices };
}

/** A table of boxes that knows no images yet. */
function unmatched(table: BoxTable): Detector {
  const lookUp = (): never => {
    throw new TypeError(
      `Cannot look up boxes in ${table.origin}: it is not matched with images yet`,
    );
  };
  return {
    ...boxesDetector(inPixels(table, new Map()), []),
    lookUp,
    // deno-lint-ignore require-await
    detect: async () => lookUp(),
    match: (images, orientation, corpus) => matched(table, images, orientation, corpus),
  };
}

async function matched(
  table: BoxTable,
  images: readonly CorpusImage[],
  orientation: Orientation,
  corpus: readonly CorpusImage[] = images,
): Promise<OpenedDetector> {
  const join = joinImages(table, corpus);
  if (join.matches.size === 0) throw new UsageError(nothingMatched(table, join, corpus));
  const matched = images.filter(({ path }) => join.matches.has(path)).length;
  const notices = [
    ...matched < images.length
      ? [`${table.origin} has boxes for ${matched} of ${images.length} images`]
      : [],
    ...joinNotices(table, join, corpus),
  ];
  const pixels = table.relative
    ? inPixels(table, await sizesOf(images, join.matches, orientation))
    : table;
  return { detector: matchedDetector(pixels, join.matches), notices };
}

async function readTable(
  name: string,
  base: string | undefined,
): Promise<{ table: BoxTable; notices: readonly string[] } | undefined> {
  if (!/\.(csv|json)$/i.test(name)) {
    if (!/[\\/]/.test(name) || !await isFolder(pathFrom(base, name))) return undefined;
    const table = { ...await readYoloFolder(pathFrom(base, name)), origin: name };
    return { table, notices: (table.notices ?? []).map((notice) => `${name}: ${notice}`) };
  }
  const bytes = await readFile(name, base);
  if (isCard(name, bytes)) return undefined;
  const table = readBoxes(bytes, name);
  const notices = (table.notices ?? []).map((notice) => `${name}: ${notice}`);
  if (table.leftOut !== undefined) {
    notices.push(`${name}: boxes without width or height are left out (${table.leftOut})`);
  }
  const { labelNames } = boxFormat(bytes, name);
  if (!labelNames) return { table, notices };
  const file = await namesBeside(pathFrom(base, name), labelNames);
  if (file === undefined) {
    return { table, notices: [...notices, `${name}: ${labelNames.missing}`] };
  }
  const list = await readFile(file);
  const { notice } = textOf(list, file);
  if (notice !== undefined) notices.push(`${basename(file)}: ${notice}`);
  const named = readBoxes(bytes, name, labelNames.read(list, file));
  return { table: { ...named, sha256: sha256(`${named.sha256} ${sha256(list)}`) }, notices };
}

async function namesBeside(
  file: string,
  { file: pattern }: NonNullable<BoxFormat["labelNames"]>,
): Promise<string | undefined> {
  const found: string[] = [];
  for await (const { name, isFile } of Deno.readDir(dirname(file))) {
    if (isFile && pattern.test(name) && name !== basename(file)) found.push(name);
  }
  return found.length === 0 ? undefined : join(dirname(file), found.sort()[0]);
}

/** Sizes of the images that have boxes, by the table's names; one that cannot be read fails later with its reason. */
async function sizesOf(
  images: readonly CorpusImage[],
  matches: ReadonlyMap<string, readonly string[]>,
  orientation: Orientation,
): Promise<Map<string, Size>> {
  const sizes = new Map<string, Size>();
  await mapConcurrently(images, HEADERS_AT_A_TIME, async ({ path, file, refused }) => {
    const names = matches.get(path);
    if (names === undefined || refused !== undefined) return;
    try {
      const size = await imageSize(await readImageFile(file), orientation);
      for (const name of names) sizes.set(name, size);
    } catch {
      // its row will say why
    }
  });
  return sizes;
}

async function readFile(name: string, base?: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(pathFrom(base, name));
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
