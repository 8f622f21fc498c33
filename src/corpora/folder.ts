/**
 * A folder: all images in it, sub-folders included; hidden files and folders are not. With `--labels folders` the first sub-folder that an
 * image lies in is its annotation `label`.
 *
 * @module
 */

import { join, relative } from "node:path";
import { IMAGE_NAME, slashes } from "./_paths.ts";
import type { CorpusKind } from "./corpus_kind.ts";
import { pathFrom } from "../base/files.ts";

/** A folder of images. */
export const folder: CorpusKind = {
  name: "folder",
  takes: ({ info }) => info?.isDirectory ?? false,
  async *images(text, { labels, base }) {
    for await (const file of filesIn(text, base)) {
      const path = slashes(relative(text, file));
      yield {
        path,
        file,
        ...labels === "folders" && path.includes("/")
          ? { annotation: { label: path.split("/")[0] } }
          : {},
      };
    }
  },
  folder: (text) => text,
  labels: true,
};

/** Image files below a folder. Links to folders are not followed, so that a cycle cannot trap the walk. */
async function* filesIn(folder: string, base: string | undefined): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(pathFrom(base, folder))) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* filesIn(path, base);
    else if (IMAGE_NAME.test(entry.name)) yield path;
  }
}
