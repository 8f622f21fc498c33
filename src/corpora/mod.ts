/**
 * The kinds of corpus: one file each.
 *
 * @module
 */

import type { CorpusKind } from "./corpus_kind.ts";
import { file } from "./file.ts";
import { findingemo } from "./findingemo.ts";
import { folder } from "./folder.ts";
import { glob } from "./glob.ts";
import { table } from "./table.ts";

/** In the order in which they are asked whether an argument is theirs: `file` takes any file, so it comes after those that look closer. */
export const CORPORA: readonly CorpusKind[] = [folder, findingemo, table, file, glob];
