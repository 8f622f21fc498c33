/**
 * A single image, by its file. What its name ends with does not matter: the first bytes tell the format.
 *
 * @module
 */

import { pathFrom } from "../base/files.ts";
import { OwnFiles } from "../base/own_files.ts";
import { DRAWN } from "./_left_out.ts";
import { slashes } from "./_paths.ts";
import type { CorpusKind } from "./corpus_kind.ts";

/** One image. */
export const file: CorpusKind = {
  name: "file",
  takes: ({ info }) => info !== undefined && !info.isDirectory,
  async *images(text, { base }) {
    const drawn = new OwnFiles().has(pathFrom(base, text));
    yield { path: slashes(text), file: text, ...drawn ? { refused: DRAWN } : {} };
  },
};
