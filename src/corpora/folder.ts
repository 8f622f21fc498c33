/**
 * A folder: all images in it, sub-folders and linked folders included. Hidden files and folders, thumbnails that systems keep, and emocam's own
 * results are not; what is left out is counted. With `--labels folders` the first sub-folder that an image lies in is its annotation `label`.
 *
 * @module
 */

import { join, relative } from "node:path";
import { compareCodePoints } from "../base/code_points.ts";
import { messageOf, UsageError } from "../base/errors.ts";
import { pathFrom, statOf } from "../base/files.ts";
import { OwnFiles } from "../base/own_files.ts";
import { tidy } from "../base/text.ts";
import { startsAsPicture } from "../image/image_file.ts";
import { LeftOut, nameLeftOut, ownFiles } from "./_left_out.ts";
import { IMAGE_NAME, slashes } from "./_paths.ts";
import type { CorpusKind } from "./corpus_kind.ts";

/** A folder of images. */
export const folder: CorpusKind = {
  name: "folder",
  takes: ({ info }) => info?.isDirectory ?? false,
  async *images(text, { labels, base, note }) {
    const walk = new Walk(text, base);
    for await (const file of walk.files()) {
      const path = slashes(relative(text, file));
      yield {
        path,
        file,
        ...labels === "folders" && path.includes("/")
          ? { annotation: { label: tidy(path.split("/")[0]) } }
          : {},
      };
    }
    for (const notice of walk.leftOut.notices(slashes(text))) note?.(notice);
  },
  folder: (text) => text,
  labels: true,
};

/** The image files below a folder, each folder once: by its real path, so that linked folders cannot lead round in circles. */
class Walk {
  readonly leftOut = new LeftOut();
  readonly #seen = new Set<string>();
  /** Paths in the folder of linked folders, which are followed when all that are not linked are done: those keep their own paths. */
  readonly #links: string[] = [];
  /** Full paths of what emocam wrote. */
  readonly #own = new Set<string>();
  readonly #records = new OwnFiles();

  constructor(readonly root: string, readonly base: string | undefined) {}

  async *files(): AsyncGenerator<string> {
    yield* this.#below("");
    while (this.#links.length > 0) {
      const link = this.#links.sort(compareCodePoints).shift()!;
      yield* this.#below(link);
    }
  }

  #at(path: string): string {
    return pathFrom(this.base, join(this.root, path));
  }

  async *#below(path: string): AsyncGenerator<string> {
    const entries = await this.#entries(path);
    if (entries === undefined) return;
    const real = await Deno.realPath(this.#at(path));
    if (this.#seen.has(real)) {
      this.leftOut.add("again", path);
      return;
    }
    this.#seen.add(real);
    const names = new Set(entries.map(({ name }) => name));
    for (const own of await ownFiles(this.#at(path), names)) this.#own.add(join(path, own));
    for (const { name, isDirectory, isSymlink } of entries) {
      const inner = join(path, name);
      const info = isSymlink ? await this.#target(inner) : { isDirectory };
      // A link to nothing is a file here, which fails with its reason.
      const isFolder = info?.isDirectory ?? false;
      const why = nameLeftOut(name, isFolder);
      if (why !== undefined) await this.#count(why, inner, isFolder && !isSymlink);
      else if (isFolder && isSymlink) this.#links.push(inner);
      else if (isFolder) yield* this.#below(inner);
      else if (
        this.#own.has(inner) || IMAGE_NAME.test(name) && this.#records.has(this.#at(inner))
      ) {
        if (IMAGE_NAME.test(name)) this.leftOut.add("own", inner);
      } else if (IMAGE_NAME.test(name) || (!name.includes(".") && await this.#isPicture(inner))) {
        yield join(this.root, inner);
      }
    }
  }

  /** What a folder holds; nothing, and counted, where it cannot be read, unless it is the folder itself. */
  async #entries(path: string): Promise<Deno.DirEntry[] | undefined> {
    try {
      return await Array.fromAsync(Deno.readDir(this.#at(path)));
    } catch (error) {
      if (path === "") throw new UsageError(`Cannot read ${this.root}: ${messageOf(error)}`);
      this.leftOut.add("unreadable", path);
      return undefined;
    }
  }

  async #target(path: string): Promise<Deno.FileInfo | undefined> {
    try {
      return await statOf(this.#at(path));
    } catch {
      return undefined;
    }
  }

  async #isPicture(path: string): Promise<boolean> {
    try {
      return await startsAsPicture(this.#at(path));
    } catch {
      return false;
    }
  }

  /** Counts the pictures in what is left out. */
  async #count(why: "hidden" | "system", path: string, isFolder: boolean): Promise<void> {
    if (!isFolder) {
      if (IMAGE_NAME.test(path)) this.leftOut.add(why, path);
      return;
    }
    for (const { name, isDirectory } of await this.#entries(path) ?? []) {
      await this.#count(why, join(path, name), isDirectory);
    }
  }
}
