/**
 * Which images a run is about: what the kinds of corpus find for each argument, put together.
 *
 * @module
 */

import { basename, isAbsolute, join, relative, resolve } from "node:path";
import { compareCodePoints } from "../base/code_points.ts";
import { UsageError } from "../base/errors.ts";
import type { CorpusImage } from "../image/image_file.ts";
import { plural } from "../base/number_text.ts";
import { merged } from "./_annotations.ts";
import { lookAt, slashes } from "./_paths.ts";
import type { CorpusKind, ReadOptions } from "./corpus_kind.ts";
import { CORPORA } from "./mod.ts";
import { flag } from "../base/flag.ts";
import { pathFrom } from "../base/files.ts";

/** An argument with its images, each with its path in the argument. */
interface ReadPlace extends Place {
  readonly images: readonly CorpusImage[];
}

/** How images are found. */
export type FindOptions = Pick<ReadOptions, "labels" | "base" | "note">;

/** An argument with its kind. */
interface Place {
  readonly text: string;
  readonly kind: CorpusKind;
}

/**
 * Finds the images of a run, each once, sorted by path (by code points, so that the order is the same everywhere).
 *
 * Images of a folder are called by their paths in it; where other arguments name images outside of it, the folder's own name goes before.
 * An argument whose images all lie in a given folder, as a table of annotations of it, changes no name. Otherwise, an image that several
 * arguments name is called as by the first. It is annotated by all that have an annotation for it. Kinds that only
 * annotate (FindingEmo's) add their columns to the images of the other arguments, by their paths in the folders of all.
 *
 * @throws {UsageError} when an argument names nothing, a table cannot be read or annotates nothing, or no image is found at all.
 */
export async function findImages(
  args: readonly string[],
  { labels, base, note }: FindOptions = {},
): Promise<CorpusImage[]> {
  const all: Place[] = [];
  for (const arg of args) all.push(await placeOf(arg, base));
  const naming = all.filter(({ kind }) => !kind.annotates);
  const annotating = all.filter(({ kind }) => kind.annotates);
  const read: ReadPlace[] = [];
  for (const place of naming.length > 0 ? naming : annotating) {
    const options = { base, note, ...labels === undefined ? {} : { labels } };
    read.push({ ...place, images: await Array.fromAsync(place.kind.images(place.text, options)) });
  }
  const found = new Map<string, CorpusImage>();
  for (const { text, images } of namedTogether(read, base)) {
    const differing = new Differing(text);
    for (const image of images) add(found, image, base, differing);
    differing.tell(note);
  }
  if (naming.length > 0) {
    const folders = naming.flatMap(foldersOf);
    for (const place of annotating) {
      const rows = await Array.fromAsync(place.kind.images(place.text, { base, note }));
      annotate(found, rows, [...folders, ...foldersOf(place)], { base, note, origin: place.text });
    }
  }
  if (labels === "folders" && !naming.some(({ kind }) => kind.labels)) {
    throw new UsageError(
      `Cannot use ${flag("labels")} folders with ${
        args.join(", ")
      }: give a folder whose sub-folders are labels`,
    );
  }
  if (found.size === 0) {
    throw new UsageError(
      `Cannot find images: no .jpg, .png, .webp or .gif in ${args.join(", ")}`,
    );
  }
  return distinct([...found.values()]).sort((a, b) => compareCodePoints(a.path, b.path))
    .map((image) => ({ ...image, file: pathFrom(base, image.file) }));
}

async function placeOf(text: string, base: string | undefined): Promise<Place> {
  const info = await lookAt(pathFrom(base, text));
  const kind = CORPORA.find((kind) => kind.takes({ text, info }));
  if (kind) return { text, kind };
  throw new UsageError(`Cannot find images: there is no file or folder ${JSON.stringify(text)}`);
}

function foldersOf({ text, kind }: Place): string[] {
  const folder = kind.folder?.(text);
  return folder === undefined ? [] : [folder];
}

/** The images of all arguments, called as they are beside each other; their paths in their arguments are among their `names`. */
function namedTogether(places: readonly ReadPlace[], base: string | undefined): ReadPlace[] {
  const folders = places.filter(({ kind }) => kind.labels);
  const at = (path: string) => resolve(pathFrom(base, path));
  const inside = (folder: string, path: string) => {
    const way = relative(at(folder), at(path));
    return way !== ".." && !/^\.\.[\\/]/.test(way) && !isAbsolute(way);
  };
  // The folder that holds all of an argument: an outer one, or the first of the same.
  const holderOf = (place: ReadPlace) =>
    folders.find((folder) =>
      folder !== place && (place.kind.labels
        ? inside(folder.text, place.text) &&
          (at(folder.text) !== at(place.text) || places.indexOf(folder) < places.indexOf(place))
        : place.images.every(({ file }) => inside(folder.text, file)))
    );
  const holders = new Map(places.map((place) => [place, holderOf(place)]));
  const outermost = (place: ReadPlace): ReadPlace => {
    const holder = holders.get(place);
    return holder ? outermost(holder) : place;
  };
  const several = places.filter((place) => !holders.get(place)).length > 1;
  return places.map((place) => {
    const owner = outermost(place);
    const prefix = several && owner.kind.labels ? `${slashes(owner.text).replace(/\/$/, "")}/` : "";
    const images = place.images.map((image) => {
      const own = owner === place ? image.path : slashes(relative(at(owner.text), at(image.file)));
      const path = prefix + own;
      const names = [...new Set([own, image.path])].filter((name) => name !== path);
      return { ...image, path, ...names.length > 0 ? { names } : {} };
    });
    return { ...place, images };
  });
}

/** Images of which an argument says something else than those before it. */
class Differing {
  #count = 0;
  #example = "";

  constructor(readonly origin: string) {}

  /** An image with the column in which it differs, if it does in one. */
  add({ path }: CorpusImage, column: string | undefined): void {
    if (column === undefined) return;
    if (this.#count++ === 0) this.#example = `${path}: ${column}`;
  }

  tell(note: FindOptions["note"]): void {
    if (this.#count === 0) return;
    note?.(
      `${basename(this.origin)} says something else of ${
        plural(this.#count, "image")
      } than what is given before it (${this.#example}); both are kept, the further one with .2 after its columns`,
    );
  }
}

/** The annotation of both, as far as there is any. */
function withAnnotation(
  image: CorpusImage,
  further: CorpusImage["annotation"],
  differing: Differing,
): CorpusImage {
  if (further === undefined) return image;
  if (image.annotation === undefined) return { ...image, annotation: further };
  const { annotation, differs } = merged(image.annotation, further);
  differing.add(image, differs);
  return { ...image, annotation };
}

/** Adds an image: the first mention names it; a later one may annotate it, and call it otherwise, too. */
function add(
  found: Map<string, CorpusImage>,
  image: CorpusImage,
  base: string | undefined,
  differing: Differing,
): void {
  const key = resolve(pathFrom(base, image.file));
  const known = found.get(key);
  if (!known) {
    found.set(key, image);
    return;
  }
  const others = [...known.names ?? [], image.path, ...image.names ?? []];
  const names = [...new Set(others)].filter((name) => name !== known.path);
  found.set(key, {
    ...withAnnotation(known, image.annotation, differing),
    ...names.length > 0 ? { names } : {},
  });
}

/** Adds annotations to the images that are there, by their paths in one of the folders; in the other Unicode form where that is one image. */
function annotate(
  found: Map<string, CorpusImage>,
  rows: readonly CorpusImage[],
  folders: readonly string[],
  { base, note, origin }: FindOptions & { readonly origin: string },
): void {
  const forms = Map.groupBy(found.keys(), (key) => key.normalize("NFC"));
  const differing = new Differing(origin);
  const left: string[] = [];
  for (const { path, annotation } of rows) {
    let matched = false;
    for (const folder of new Set(folders.map((folder) => resolve(pathFrom(base, folder))))) {
      const exact = join(folder, path);
      const others = forms.get(exact.normalize("NFC")) ?? [];
      const key = found.has(exact) ? exact : others.length === 1 ? others[0] : undefined;
      if (key === undefined) continue;
      matched = true;
      found.set(key, withAnnotation(found.get(key)!, annotation, differing));
    }
    if (!matched) left.push(path);
  }
  if (left.length === rows.length) {
    throw new UsageError(
      `Cannot use the annotations of ${basename(origin)}: none of its ${rows.length} images (${
        rows[0].path
      } …) is in ${folders.join(" or ")}; give the folder that holds them`,
    );
  }
  if (left.length > 0) {
    note?.(
      `${
        basename(origin)
      } annotates ${rows.length} images, ${left.length} of which are not in the corpus (${left[0]}${
        left.length > 1 ? " …" : ""
      })`,
    );
  }
  differing.tell(note);
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
