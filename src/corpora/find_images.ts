/**
 * Which images a run is about: files, folders, globs, CSV tables with a path column and annotations, and FindingEmo's annotations.
 *
 * @module
 */

import { parse } from "csv-parse/sync";
import { glob } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { compareCodePoints } from "../base/code_points.ts";
import { messageOf, UsageError } from "../base/errors.ts";
import { readFindingEmo } from "./findingemo/annotations.ts";
import type { CorpusImage } from "../image/image_file.ts";

/** File names that are taken from a folder. A file that is named itself is taken whatever its name. */
const IMAGE_NAME = /\.(jpe?g|jfif|png|webp|gif|tiff?|avif|bmp)$/i;
const TABLE_NAME = /\.(csv|tsv)$/i;
const FINDINGEMO_NAME = /\.ann$/i;
const GLOB_CHARACTERS = /[*?[\]{}]/;

/** Names of the column that holds paths, in order of preference. */
const PATH_COLUMNS = ["path", "image_path", "image", "filename", "file_name", "file", "rel_path"];

/** How images are found. */
export interface FindOptions {
  /** "folders": the first sub-folder that an image of a folder lies in is its annotation `label`. */
  readonly labels?: "folders";
}

/**
 * Finds the images of a run, each once, sorted by path (by code points, so that the order is the same everywhere).
 *
 * In a folder all images are taken, sub-folders included; hidden files and folders are not. Images of a table need not
 * exist: a missing file becomes a failed image.
 *
 * Rows of a table that name one image again are further annotations of it, with the columns `emotion.2`, `emotion.3` …
 *
 * A `.ann` file (FindingEmo) given alone is a table, with its images beside it: `/Run_1/a.jpg` is the file `Run_1/a.jpg` in its
 * folder. Together with other arguments it only annotates the images that they name, by their paths in those folders or in its own.
 *
 * @throws {UsageError} when an argument names nothing, a table cannot be read or annotates nothing, or no image is found at all.
 */
export async function findImages(
  args: readonly string[],
  options: FindOptions = {},
): Promise<CorpusImage[]> {
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
  const annotations: string[] = [], places: string[] = [], folders: string[] = [];
  for (const arg of args) {
    const isTable = FINDINGEMO_NAME.test(arg) && (await stat(arg))?.isFile;
    (isTable ? annotations : places).push(arg);
  }
  for (const arg of places) {
    const info = await stat(arg);
    if (info?.isDirectory) {
      folders.push(arg);
      const prefix = places.length > 1 ? slashes(arg) : "";
      for await (const file of filesIn(arg)) {
        const path = slashes(relative(arg, file));
        add({
          path: prefix ? `${prefix.replace(/\/$/, "")}/${path}` : path,
          file,
          ...options.labels === "folders" && path.includes("/")
            ? { annotation: { label: path.split("/")[0] } }
            : {},
        });
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
  for (const file of annotations) {
    const rows = await readAnnotations(file);
    if (places.length === 0) { for (const image of rows) add(image); }
    else annotate(found, rows, [...folders, dirname(file)], file);
  }
  if (options.labels === "folders" && folders.length === 0) {
    throw new UsageError(
      `Cannot take --labels folders of ${
        args.join(", ")
      }: give a folder whose sub-folders are labels`,
    );
  }
  if (found.size === 0) {
    throw new UsageError(
      `Cannot find images: no .jpg, .png, .webp, .gif, .tif … in ${args.join(", ")}`,
    );
  }
  return distinct([...found.values()]).sort((a, b) => compareCodePoints(a.path, b.path));
}

/** The images of a FindingEmo table, beside it, each with all its annotations. */
async function readAnnotations(file: string): Promise<CorpusImage[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    throw new UsageError(`Cannot read annotations from ${file}: ${messageOf(error)}`);
  }
  const rows = readFindingEmo(text, basename(file));
  return [...Map.groupBy(rows, ({ image }) => image)].map(([path, all]) => {
    const annotation = numbered(all.map(({ columns }) => {
      // The annotator's id is dropped: result tables are shared.
      const { image_path: _, user: __, ...rest } = columns;
      return rest;
    }));
    return { path, file: join(dirname(file), path), annotation };
  });
}

/** The annotations of one image as one: the columns of the second with `.2` after their names, and so on. */
function numbered(all: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  return Object.fromEntries(
    all.flatMap((columns, i) =>
      Object.entries(columns).map(([name, text]) => [i === 0 ? name : `${name}.${i + 1}`, text])
    ),
  );
}

/** Adds annotations to the images that are there, by their paths in one of the folders. */
function annotate(
  found: Map<string, CorpusImage>,
  rows: readonly CorpusImage[],
  folders: readonly string[],
  origin: string,
): void {
  let matched = 0;
  for (const { path, annotation } of rows) {
    for (const folder of folders) {
      const key = resolve(join(folder, path));
      const image = found.get(key);
      if (!image) continue;
      matched++;
      found.set(key, { ...image, annotation: { ...image.annotation, ...annotation } });
    }
  }
  if (matched === 0) {
    throw new UsageError(
      `Cannot use the annotations of ${basename(origin)}: none of its ${rows.length} images (${
        rows[0].path
      } …) is in ${folders.join(" or ")}; give the folder that holds them`,
    );
  }
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
    const text = await Deno.readTextFile(file);
    rows = parse(text, {
      columns: true,
      bom: true,
      trim: true,
      skip_empty_lines: true,
      delimiter: file.toLowerCase().endsWith(".tsv") ? "\t" : delimiterOf(text),
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
  const images = new Map<string, { path: string; all: Record<string, string>[] }>();
  rows.forEach((row, i) => {
    const { [column!]: path, ...annotation } = row;
    if (!path) refuse(`row ${i + 1} has no ${column}`);
    const place = isAbsolute(path!) ? path! : join(dirname(file), path!);
    const known = images.get(place);
    if (known) known.all.push(annotation);
    else images.set(place, { path: slashes(path!), all: [annotation] });
  });
  return [...images].map(([place, { path, all }]) => ({
    path,
    file: place,
    ...columns.length > 1 ? { annotation: numbered(all) } : {},
  }));
}

/** What separates the fields: a semicolon where the header has more of them, as spreadsheets write it in half of Europe. */
function delimiterOf(text: string): "," | ";" {
  const header = (/^.*\S.*$/m.exec(text)?.[0] ?? "").replaceAll(/"[^"]*"/g, "");
  return header.split(";").length > header.split(",").length ? ";" : ",";
}

function slashes(path: string): string {
  return path.replaceAll("\\", "/").replace(/^(\.\/)+/, "");
}
