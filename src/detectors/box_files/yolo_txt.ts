/**
 * Boxes as a folder of YOLO's text files: for each image a file of its name with the ending `.txt`, a box a line: class (a number from 0),
 * centre x, centre y, width, height as fractions of the image, and in files of predictions a confidence.
 *
 * The names of the classes, one a line, are in `classes.txt`, `obj.names` or the only `.names` file of the folder or the folder above.
 *
 * @module
 */

import { basename, join } from "node:path";
import { messageOf, UsageError } from "../../base/errors.ts";
import { tidy } from "../../base/text.ts";
import { sha256 } from "../../base/json.ts";
import { compareCodePoints } from "../../base/code_points.ts";
import {
  BoxList,
  type BoxTable,
  boxTable,
  corner,
  normal,
  refuse,
  stemOf,
  textOf,
} from "./table.ts";

/** Lists of names, which hold no boxes. */
const NOT_BOXES = /^(classes|train|val|valid|test|trainval)\.txt$/i;

/** The rounding of six decimals lets a box reach over the edge by so much. */
const ROUNDING = 1e-5;

/**
 * Reads a folder of text files, sub-folders included. An empty file is an image without boxes.
 *
 * @throws {UsageError} naming the file, the line and the value; also when there are no class names, or no boxes at all.
 */
export async function readYoloFolder(folder: string): Promise<BoxTable> {
  const files = (await textFiles(folder)).sort(compareCodePoints);
  const { names, notices } = await classNames(folder);
  const list = new BoxList(folder);
  const parts: string[] = [names.join("\n")];
  for (const file of files) {
    const bytes = await Deno.readFile(join(folder, file));
    const origin = join(folder, file);
    addBoxes(list, normal(stemOf(file)), textOf(bytes, origin).text, { origin, names });
    parts.push(`${file} ${sha256(bytes)}`);
  }
  const found = {
    ...list.parts(),
    ...{ notices, labels: names, relative: true, stems: true, besideImages: true } as const,
  };
  return boxTable(folder, sha256(parts.join("\n")), found);
}

function addBoxes(
  list: BoxList,
  image: string,
  text: string,
  { origin, names }: { readonly origin: string; readonly names: readonly string[] },
): void {
  list.image(image);
  text.split(/\r?\n/).forEach((line, i) => {
    const fields = line.trim().split(/\s+/);
    if (line.trim() === "") return;
    const where = `line ${i + 1}`;
    if (fields.length !== 5 && fields.length !== 6) {
      refuse(
        origin,
        where,
        `${fields.length} numbers; expected class, centre x, centre y, width, height (and confidence)`,
      );
    }
    const [kind, ...corners] = fields.map((field) => corner(field));
    const bad = [kind, ...corners].indexOf(undefined);
    if (bad >= 0) refuse(origin, where, `${JSON.stringify(fields[bad])} is not a number`);
    if (!Number.isInteger(kind) || kind! < 0 || kind! >= names.length) {
      refuse(origin, where, `class ${fields[0]}; there are ${names.length} names`);
    }
    const [x, y, width, height, confidence = 1] = corners as [number, number, number, number];
    const box = {
      label: names[kind!],
      confidence,
      x0: x - width / 2,
      y0: y - height / 2,
      x1: x + width / 2,
      y1: y + height / 2,
    };
    if (
      box.x0 < -ROUNDING || box.y0 < -ROUNDING || box.x1 > 1 + ROUNDING || box.y1 > 1 + ROUNDING
    ) {
      refuse(origin, where, `the box ${fields.slice(1, 5).join(" ")} reaches out of the image`);
    }
    list.add(image, `${basename(origin)}, ${where}`, box);
  });
}

/** Paths of the files of boxes, with forward slashes. */
async function textFiles(folder: string, prefix = ""): Promise<string[]> {
  const files: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(join(folder, prefix))) {
      if (name.startsWith(".")) continue;
      if (isDirectory) files.push(...await textFiles(folder, `${prefix}${name}/`));
      else if (/\.txt$/i.test(name) && !(prefix === "" && NOT_BOXES.test(name))) {
        files.push(prefix + name);
      }
    }
  } catch (error) {
    throw new UsageError(`Cannot read boxes from ${folder}: ${messageOf(error)}`);
  }
  return files;
}

/** The names of the classes, and how their file was read where that is inferred. */
async function classNames(folder: string): Promise<{ names: string[]; notices: string[] }> {
  for (const place of [folder, join(folder, "..")]) {
    const found: string[] = [];
    for await (const { name, isFile } of Deno.readDir(place)) {
      if (isFile && (name === "classes.txt" || /\.names$/i.test(name))) found.push(name);
    }
    const chosen = found.find((name) => name === "classes.txt") ??
      found.find((name) => name === "obj.names") ?? (found.length === 1 ? found[0] : undefined);
    if (chosen === undefined) continue;
    const origin = join(place, chosen);
    const { text, notice } = textOf(await Deno.readFile(origin), origin);
    const names = text.trimEnd().split(/\r\n|\r|\n/).map(tidy);
    const empty = names.indexOf("");
    if (empty >= 0) refuse(origin, `line ${empty + 1}`, "the name is empty");
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) refuse(origin, "the names", `${JSON.stringify(twice)} occurs twice`);
    return { names, notices: notice === undefined ? [] : [`${chosen}: ${notice}`] };
  }
  throw new UsageError(
    `Cannot read boxes from ${folder}: there are no class names; put them into classes.txt there, one a line`,
  );
}
