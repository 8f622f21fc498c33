/**
 * A file or folder of boxes, named instead of a detector.
 *
 * @module
 */

import type { Orientation } from "../../image/image.ts";
import { basename, dirname, join } from "node:path";
import { mapConcurrently } from "../../base/concurrency.ts";
import { messageOf, UsageError } from "../../base/errors.ts";
import { sha256 } from "../../base/json.ts";
import { isFolder, pathFrom } from "../../base/files.ts";
import { flag } from "../../base/flag.ts";
import { type CorpusImage, pictureSizes } from "../../image/image_file.ts";
import type {
  Detector,
  DetectorOption,
  DetectorOptions,
  MatchOptions,
  OpenedDetector,
} from "../detector.ts";
import { joinImages } from "./_join.ts";
import { joinNotices, nothingMatched } from "./_join_notices.ts";
import { BOX_SCALES, type BoxScale, type MeantPicture, placeBoxes } from "./_scale.ts";
import { boxesDetector, inPixels, matchedDetector } from "./match.ts";
import { boxFormat, readBoxes, readYoloFolder } from "./mod.ts";
import { type BoxFormat, type BoxTable, textOf } from "./table.ts";

/** Headers that are read at a time. */
const HEADERS_AT_A_TIME = 8;

/** The settings of files of boxes. */
export const BOX_FILE_OPTIONS: readonly DetectorOption[] = [
  {
    name: "units",
    values: BOX_SCALES,
    help: "what corners in a file of boxes are; by default as the file says",
  },
  {
    name: "groups",
    values: ["keep", "leave-out"],
    help: "boxes of crowds (COCO) and groups (Open Images) in a file of boxes",
  },
];

/**
 * Opens boxes made elsewhere: `.csv` or `.tsv` (ours or Open Images'), `.json` (COCO), or a folder of YOLO's text files, which is named with a slash
 * (`labels/`). It can be used once it is matched with the images of a corpus (`match`), which also says how many of them have boxes.
 *
 * @returns nothing where the name is none of these: a detector's name or card. Notices are of boxes left out and labels without names.
 * @throws {UsageError} saying what cannot be used.
 */
export async function openBoxes(
  name: string,
  base?: string,
  options: DetectorOptions = {},
): Promise<OpenedDetector | undefined> {
  const scale = BOX_SCALES.find((scale) => scale === options.units);
  const withoutGroups = options.groups === "leave-out";
  const read = await readTable(name, base, withoutGroups);
  if (!read) return undefined;
  const folders = [base ?? ".", dirname(pathFrom(base, name))];
  const settings = { ...scale ? { scale } : {}, ...withoutGroups ? { groups: "leave-out" } : {} };
  const table = { ...read.table, folders, settings };
  return {
    detector: unmatched(table, scale),
    notices: [...read.notices, ...lossNotices(table, withoutGroups)],
  };
}

/** What was left out, and what boxes there are of groups. */
function lossNotices(
  { origin, leftOut, unplaced, firstLost, groups }: BoxTable,
  withoutGroups: boolean,
) {
  const notices: string[] = [];
  const first = firstLost ? `; the first: ${firstLost.where}, ${firstLost.what}` : "";
  if (leftOut !== undefined) {
    notices.push(`${origin}: boxes without width or height are left out (${leftOut})${first}`);
  }
  if (unplaced !== undefined) {
    notices.push(
      `${origin}: boxes with a corner that is not a number are left out (${unplaced})${
        leftOut === undefined ? first : ""
      }`,
    );
  }
  if (groups !== undefined) {
    notices.push(
      `${origin}: boxes of crowds or groups ${
        withoutGroups ? "are left out" : "count like others"
      } (${groups})` + (withoutGroups ? "" : `; ${flag("groups")} leave-out leaves them out`),
    );
  }
  return notices;
}

/** A table of boxes that knows no images yet. */
function unmatched(table: BoxTable, scale: BoxScale | undefined): Detector {
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
    match: (images, orientation, options = {}) =>
      matched(table, images, { orientation, scale, ...options }),
  };
}

async function matched(
  table: BoxTable,
  images: readonly CorpusImage[],
  { orientation, corpus = images, scale, keepOutside }: MatchOptions & {
    readonly orientation: Orientation;
    readonly scale: BoxScale | undefined;
  },
): Promise<OpenedDetector> {
  const join = joinImages(table, corpus);
  if (join.matches.size === 0) throw new UsageError(nothingMatched(table, join, corpus));
  const matched = images.filter(({ path }) => join.matches.has(path)).length;
  const pictures = await picturesOf(images, join.matches, orientation);
  const placed = placeBoxes(table, pictures, { scale, orientation, keepOutside });
  const notices = [
    ...matched < images.length
      ? [`${table.origin} has boxes for ${matched} of ${images.length} images`]
      : [],
    ...joinNotices(table, join, corpus),
    ...placed.notices,
  ];
  return { detector: matchedDetector(placed.table, join.matches), notices };
}

async function readTable(
  name: string,
  base: string | undefined,
  withoutGroups: boolean,
): Promise<{ table: BoxTable; notices: readonly string[] } | undefined> {
  if (!/\.(csv|tsv|json)$/i.test(name)) {
    if (!/[\\/]/.test(name) || !await isFolder(pathFrom(base, name))) return undefined;
    const table = { ...await readYoloFolder(pathFrom(base, name)), origin: name };
    return { table, notices: (table.notices ?? []).map((notice) => `${name}: ${notice}`) };
  }
  const bytes = await readFile(name, base);
  if (isCard(name, bytes)) return undefined;
  const table = readBoxes(bytes, name, { withoutGroups });
  const notices = (table.notices ?? []).map((notice) => `${name}: ${notice}`);
  const { labelNames } = boxFormat(bytes, name);
  if (!labelNames) return { table, notices };
  const file = await namesBeside(pathFrom(base, name), labelNames);
  if (file === undefined) {
    return { table, notices: [...notices, `${name}: ${labelNames.missing}`] };
  }
  const list = await readFile(file);
  const { notice } = textOf(list, file);
  if (notice !== undefined) notices.push(`${basename(file)}: ${notice}`);
  const named = readBoxes(bytes, name, {
    withoutGroups,
    labelNames: labelNames.read(list, file),
  });
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

/** The pictures that have boxes, by the table's names; one that cannot be read fails later with its reason. */
async function picturesOf(
  images: readonly CorpusImage[],
  matches: ReadonlyMap<string, readonly string[]>,
  orientation: Orientation,
): Promise<Map<string, MeantPicture>> {
  const pictures = new Map<string, MeantPicture>();
  await mapConcurrently(images, HEADERS_AT_A_TIME, async ({ path, file, refused }) => {
    const names = matches.get(path);
    if (names === undefined || refused !== undefined) return;
    try {
      const sizes = await pictureSizes(file);
      const other = orientation === "exif" ? sizes.stored : sizes.exif;
      for (const name of names) pictures.set(name, { path, size: sizes[orientation], other });
    } catch {
      // its row will say why
    }
  });
  // In the order of the images, whichever was read first.
  return new Map(
    images.flatMap(({ path }) =>
      (matches.get(path) ?? []).flatMap((name) => {
        const picture = pictures.get(name);
        return picture ? [[name, picture] as const] : [];
      })
    ),
  );
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
