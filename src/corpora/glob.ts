/**
 * A pattern of paths, such as `photos/2*.jpg`, where the shell has left it as it is: the images that match.
 *
 * @module
 */

import { glob as globOf } from "node:fs/promises";
import { UsageError } from "../base/errors.ts";
import { IMAGE_NAME, lookAt, slashes } from "./_paths.ts";
import type { CorpusKind } from "./corpus_kind.ts";
import { LeftOut, nameLeftOut } from "./_left_out.ts";
import { OwnFiles } from "../base/own_files.ts";
import { pathFrom } from "../base/files.ts";

const GLOB_CHARACTERS = /[*?[\]{}]/;

/** The images whose paths match a pattern. A file that has the pattern as its name is that file. */
export const glob: CorpusKind = {
  name: "glob",
  takes: ({ text, info }) => info === undefined && GLOB_CHARACTERS.test(text),
  async *images(text, { base, note }) {
    let matched = false, system = false;
    const own = new OwnFiles(), leftOut = new LeftOut();
    for await (const file of globOf(text, base === undefined ? {} : { cwd: base })) {
      if ((await lookAt(pathFrom(base, file)))?.isDirectory || !IMAGE_NAME.test(file)) continue;
      if (isSystem(file, text)) {
        leftOut.add("system", slashes(file));
        system = true;
        continue;
      }
      if (own.has(pathFrom(base, file))) {
        leftOut.add("own", slashes(file));
        continue;
      }
      matched = true;
      yield { path: slashes(file), file };
    }
    const notices = leftOut.notices(text);
    if (!matched) {
      const all = system
        ? "nothing but what is left out (thumbnails and bins of the system) matches"
        : notices.length > 0
        ? `nothing but emocam's own results matches`
        : "nothing matches";
      throw new UsageError(`Cannot find images: ${all} ${JSON.stringify(text)}`);
    }
    for (const notice of notices) note?.(notice);
  },
};

/** Whether a match is a thumbnail or in a bin of the system, by a part of its path that the pattern does not name itself. */
function isSystem(file: string, pattern: string): boolean {
  const named = new Set(slashes(pattern).split("/"));
  const parts = slashes(file).split("/");
  return parts.some((part, i) =>
    !named.has(part) && nameLeftOut(part, i < parts.length - 1) === "system"
  );
}
