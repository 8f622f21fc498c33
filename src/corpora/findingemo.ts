/**
 * FindingEmo's annotations (`.ann`). Alone, they are a table with the images beside it: `/Run_1/a.jpg` is the file `Run_1/a.jpg` in its folder.
 * Together with other arguments they only annotate the images that these name.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { messageOf, UsageError } from "../base/errors.ts";
import type { CorpusImage } from "../image/image_file.ts";
import { numbered } from "./_numbered.ts";
import type { CorpusKind } from "./corpus_kind.ts";
import { readFindingEmo } from "./findingemo/annotations.ts";
import { pathFrom } from "../base/files.ts";

const NAME = /\.ann$/i;

/** FindingEmo's table of annotations. */
export const findingemo: CorpusKind = {
  name: "findingemo",
  takes: ({ text, info }) => NAME.test(text) && (info?.isFile ?? false),
  async *images(text, { base }) {
    yield* await readAnnotations(text, base);
  },
  folder: dirname,
  annotates: true,
};

/** The images of a FindingEmo table, beside it, each with all its annotations. */
async function readAnnotations(file: string, base: string | undefined): Promise<CorpusImage[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(pathFrom(base, file));
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
