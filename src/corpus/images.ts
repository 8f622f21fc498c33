/**
 * Which images a run is about: files, folders, globs, and CSV tables with a path column and annotations.
 *
 * @module
 */

import { parse } from "csv-parse/sync";
import { glob } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { compareCodePoints } from "../base/code_points.ts";
import { messageOf, UsageError } from "../base/errors.ts";

/** One image of a corpus. */
export interface CorpusImage {
  /** How the image is called in every table: with forward slashes, relative where its argument was a folder or table. */
  readonly path: string;
  /** Where its file is. */
  readonly file: string;
  /** What a table says of it, by column. */
  readonly annotation?: Readonly<Record<string, string>>;
  /** Why it cannot be used, where that is known before it is read: it becomes a failed image. */
  readonly refused?: string;
}

/** File names that are taken from a folder. A file that is named itself is taken whatever its name. */
const IMAGE_NAME = /\.(jpe?g|jfif|png|webp|gif|tiff?|avif|bmp)$/i;
const TABLE_NAME = /\.(csv|tsv)$/i;
const GLOB_CHARACTERS = /[*?[\]{}]/;

/** Names of the column that holds paths, in order of preference. */
const PATH_COLUMNS = ["path", "image_path", "image", "filename", "file_name", "file", "rel_path"];

/**
 * Finds the images of a run, each once, sorted by path (by code points, so that the order is the same everywhere).
 *
 * In a folder all images are taken, sub-folders included; hidden files and folders are not. Images of a table need not
 * exist: a missing file becomes a failed image.
 *
 * @throws {UsageError} when an argument names nothing, a table cannot be read, or no image is found at all.
 */
export async function findImages(args: readonly string[]): Promise<CorpusImage[]> {
  const found = new Map<string, CorpusImage>();
  const add = (image: CorpusImage) => {
    const key = resolve(image.file);
    const known = found.get(key);
    // The first mention names it; a later one may add annotations.
    if (!known) found.set(key, image);
    else if (!known.annotation && image.annotation) {
      found.set(key, { ...known, annotation: image.annotation });
    }
  };
  for (const arg of args) {
    const info = await stat(arg);
    if (info?.isDirectory) {
      const prefix = args.length > 1 ? slashes(arg) : "";
      for await (const file of filesIn(arg)) {
        const path = slashes(relative(arg, file));
        add({ path: prefix ? `${prefix.replace(/\/$/, "")}/${path}` : path, file });
      }
    } else if (info && TABLE_NAME.test(arg)) {
      for (const image of await readTable(arg)) add(image);
    } else if (info) {
      add({ path: slashes(arg), file: arg });
    } else if (GLOB_CHARACTERS.test(arg)) {
      let matched = false;
      for await (const file of glob(arg)) {
        if ((await stat(file))?.isDirectory || !IMAGE_NAME.test(file)) continue;
        matched = true;
        add({ path: slashes(file), file });
      }
      if (!matched) {
        throw new UsageError(`Cannot find images: nothing matches ${JSON.stringify(arg)}`);
      }
    } else {
      throw new UsageError(`Cannot find images: there is no file or folder ${JSON.stringify(arg)}`);
    }
  }
  if (found.size === 0) {
    throw new UsageError(
      `Cannot find images: no .jpg, .png, .webp, .gif, .tif … in ${args.join(", ")}`,
    );
  }
  return distinct([...found.values()]).sort((a, b) => compareCodePoints(a.path, b.path));
}

/** Names images that would be called the same (as by two tables in different folders) by where their files are. */
function distinct(images: readonly CorpusImage[]): CorpusImage[] {
  let named = [...images];
  for (const name of [(file: string) => slashes(file), (file: string) => file]) {
    const byPath = Map.groupBy(named, ({ path }) => path);
    named = named.map((image) =>
      byPath.get(image.path)!.length > 1 ? { ...image, path: name(image.file) } : image
    );
  }
  return named;
}

async function stat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw new UsageError(`Cannot look at ${JSON.stringify(path)}: ${messageOf(error)}`);
  }
}

/** Image files below a folder. Links to folders are not followed, so that a cycle cannot trap the walk. */
async function* filesIn(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* filesIn(path);
    else if (IMAGE_NAME.test(entry.name)) yield path;
  }
}

async function readTable(file: string): Promise<CorpusImage[]> {
  const refuse = (why: string) => {
    throw new UsageError(`Cannot read the image table ${basename(file)}: ${why}`);
  };
  let rows: Record<string, string>[] = [];
  try {
    rows = parse(await Deno.readTextFile(file), {
      columns: true,
      bom: true,
      trim: true,
      skip_empty_lines: true,
      delimiter: file.toLowerCase().endsWith(".tsv") ? "\t" : [",", ";"],
    });
  } catch (error) {
    refuse(messageOf(error));
  }
  const columns = Object.keys(rows[0] ?? {});
  const column = PATH_COLUMNS.map((name) => columns.find((own) => own.toLowerCase() === name))
    .find((name) => name !== undefined);
  if (rows.length === 0) refuse("it has no rows");
  if (column === undefined) {
    refuse(`none of its columns (${columns.join(", ")}) is called ${PATH_COLUMNS.join(", ")}`);
  }
  return rows.map((row, i) => {
    const { [column!]: path, ...annotation } = row;
    if (!path) refuse(`row ${i + 1} has no ${column}`);
    return {
      path: slashes(path!),
      file: isAbsolute(path!) ? path! : join(dirname(file), path!),
      ...Object.keys(annotation).length > 0 ? { annotation } : {},
    };
  });
}

function slashes(path: string): string {
  return path.replaceAll("\\", "/").replace(/^(\.\/)+/, "");
}
