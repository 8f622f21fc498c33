/**
 * Which image of a corpus each name in a file of boxes means.
 *
 * @module
 */

import { resolve } from "node:path";
import { basename } from "node:path/posix";
import { type BoxTable, normal, stemOf } from "./table.ts";

/** What of an image of a corpus decides which names mean it. */
export interface NamedImage {
  readonly path: string;
  /** Where its file is; absent where that is not known. */
  readonly file?: string;
  /** Its paths in the arguments that name it, where they are others. */
  readonly names?: readonly string[];
}

/** A name, and those that it could mean. */
export interface Ambiguity {
  readonly name: string;
  readonly candidates: readonly string[];
}

/** What is found of a file of boxes in a corpus. */
export interface Join {
  /** The file's names of each path of the corpus that has any. */
  readonly matches: ReadonlyMap<string, readonly string[]>;
  /** Names of the file that mean no image. */
  readonly unknown: readonly string[];
  /** Names of the file that could mean several images. */
  readonly several: readonly Ambiguity[];
  /** Images that several names could mean. */
  readonly claimed: readonly Ambiguity[];
}

/**
 * Finds the image that each name of a file of boxes means, in this order: the one of exactly that path; the one whose path in an argument
 * that names it is that; the one whose file lies there, seen from one of the table's folders; and the one whose path ends as the name does
 * (or the name as the path), with the longest common end first. Names in different folders never mean each other; a base name alone
 * only counts where it is left once on both sides. Unicode's composed and decomposed forms are the same.
 *
 * @param images of the whole corpus, also when a part of it is run
 */
export function joinImages(table: BoxTable, images: readonly NamedImage[]): Join {
  const named = (path: string) => table.stems ? stemOf(normal(path)) : normal(path);
  const names = new Map([...table.images.keys()].map((name) => [name, spellings(name, table)]));
  const matches = new Map<string, string[]>();
  const several = new Map<string, Set<string>>(), claimed = new Map<string, Set<string>>();
  const left = new Set(names.keys());
  const match = (name: string, path: string) => {
    left.delete(name);
    matches.set(path, [...matches.get(path) ?? [], name]);
  };
  const exactly = (keysOf: (image: NamedImage) => string[], places: Spelling) => {
    const index = indexOf(images, keysOf);
    for (const name of [...left]) {
      const meant = new Set(
        names.get(name)!.flatMap(places).flatMap((key) => [...index.get(key) ?? []]),
      );
      const [first] = meant;
      if (first !== undefined && meant.size === 1) match(name, first);
      else if (meant.size > 1) {
        left.delete(name);
        several.set(name, meant);
      }
    }
  };
  exactly(({ path }) => [named(path)], (name) => [name]);
  exactly(({ names = [] }) => names.map(named), (name) => [name]);
  exactly(
    ({ file }) => file === undefined ? [] : [named(resolve(file))],
    (name) => (table.folders ?? []).map((folder) => named(resolve(folder, name))),
  );

  const open = images.filter(({ path }) => !matches.has(path));
  const free = new Set(open.map(({ path }) => path));
  const endings = endingPairs(open, left, names, named);
  for (const length of [...endings.keys()].sort((a, b) => b - a)) {
    // Where folders in the file are those of the images, a name in another folder is another image.
    const anchored = length === 1 && isAnchored(matches, images, named);
    const pairs = endings.get(length)!.filter(({ name, path }) =>
      left.has(name) && free.has(path) && !(anchored && name.includes("/"))
    );
    const byName = grouped(pairs, ({ name }) => name, ({ path }) => path);
    const byPath = grouped(pairs, ({ path }) => path, ({ name }) => name);
    if (length === 1) {
      // The base name alone: others of that name count, too, be they in another folder.
      const paths = grouped([...free], (path) => basename(named(path)), (path) => path);
      const all = grouped([...left], (name) => basename(name), (name) => name);
      for (const name of byName.keys()) byName.set(name, paths.get(basename(name))!);
      for (const path of byPath.keys()) byPath.set(path, all.get(basename(named(path)))!);
    }
    for (const [name, paths] of byName) {
      const [path] = paths;
      if (paths.size > 1) several.set(name, paths);
      else if (path !== undefined && byPath.get(path)!.size > 1) {
        claimed.set(path, byPath.get(path)!);
      }
    }
    // What is not sure at this length is not sure at any shorter one. A pair can be there twice.
    for (const { name, path } of pairs) {
      const sure = byName.get(name)!.size === 1 && byPath.get(path)!.size === 1;
      if (sure && left.has(name)) match(name, path);
      left.delete(name);
      free.delete(path);
    }
  }
  return { matches, unknown: [...left], several: listed(several), claimed: listed(claimed) };
}

type Spelling = (name: string) => string[];

/** Whether a name with a folder is found to be the end of its file's path. */
function isAnchored(
  matches: ReadonlyMap<string, readonly string[]>,
  images: readonly NamedImage[],
  named: (path: string) => string,
): boolean {
  return images.some(({ path, file }) =>
    matches.get(path)?.some((name) =>
      name.includes("/") && named(resolve(file ?? path)).endsWith(`/${name}`)
    )
  );
}

/** A name and a path of which one ends as the other does. */
interface Pair {
  readonly name: string;
  readonly path: string;
}

/**
 * A name as the file has it, and as it may have been meant: the files of a folder `labels` belong to the pictures of the folder `images`
 * beside it (Ultralytics, Roboflow), or of the folder above.
 */
function spellings(name: string, { besideImages }: BoxTable): string[] {
  const parts = name.split("/");
  const at = parts.slice(0, -1).lastIndexOf("labels");
  if (!besideImages || at < 0) return [name];
  return [name, parts.with(at, "images").join("/"), parts.toSpliced(at, 1).join("/")];
}

/** The paths of the images by each key. */
function indexOf(
  images: readonly NamedImage[],
  keysOf: (image: NamedImage) => string[],
): Map<string, Set<string>> {
  const pairs = images.flatMap((image) => keysOf(image).map((key) => ({ key, path: image.path })));
  return grouped(pairs, ({ key }) => key, ({ path }) => path);
}

/** Pairs of names and paths that end alike, by the number of path components that they share. */
function endingPairs(
  images: readonly NamedImage[],
  left: ReadonlySet<string>,
  names: ReadonlyMap<string, readonly string[]>,
  named: (path: string) => string,
): Map<number, Pair[]> {
  const pathsOf = ({ path, names = [], file }: NamedImage) => [
    ...[path, ...names].map(named),
    ...file === undefined ? [] : [named(resolve(file)).replace(/^\//, "")],
  ];
  const byPath = indexOf(images, pathsOf);
  const byName = grouped(
    [...left].flatMap((name) => names.get(name)!.map((spelling) => ({ name, spelling }))),
    ({ spelling }) => spelling,
    ({ name }) => name,
  );
  const pairs = new Map<number, Pair[]>();
  const add = (length: number, pair: Pair) => {
    const known = pairs.get(length);
    if (known) known.push(pair);
    else pairs.set(length, [pair]);
  };
  for (const name of left) {
    for (const spelling of names.get(name)!) {
      for (const [ending, length] of endingsOf(spelling)) {
        for (const path of byPath.get(ending) ?? []) add(length, { name, path });
      }
    }
  }
  for (const image of images) {
    for (const own of pathsOf(image)) {
      for (const [ending, length] of endingsOf(own)) {
        for (const name of byName.get(ending) ?? []) add(length, { name, path: image.path });
      }
    }
  }
  return pairs;
}

/** The ends of a path, each with the number of its components. */
function endingsOf(path: string): [string, number][] {
  const parts = path.split("/");
  return parts.slice(1).map((_, i) => [parts.slice(i + 1).join("/"), parts.length - i - 1]);
}

function grouped<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  valueOf: (item: T) => string,
): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.add(valueOf(item));
    else groups.set(key, new Set([valueOf(item)]));
  }
  return groups;
}

function listed(ambiguities: ReadonlyMap<string, ReadonlySet<string>>): Ambiguity[] {
  return [...ambiguities].map(([name, candidates]) => ({ name, candidates: [...candidates] }));
}
