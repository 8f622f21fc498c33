/**
 * FindingEmo's annotations (`.ann`). Alone, they are a table with the images beside it: `/Run_1/a.jpg` is the file `Run_1/a.jpg` in its folder.
 * Together with other arguments they only annotate the images that these name.
 *
 * @module
 */

import { basename, dirname } from "node:path";
import { UsageError } from "../base/errors.ts";
import type { CorpusImage } from "../image/image_file.ts";
import { numbered } from "./_annotations.ts";
import { locator } from "./_locate.ts";
import { readText } from "./_text_table.ts";
import type { CorpusKind, ReadOptions } from "./corpus_kind.ts";
import { readFindingEmo } from "./findingemo/annotations.ts";
import { pathFrom } from "../base/files.ts";

const NAME = /\.ann$/i;

/** FindingEmo's table of annotations. */
export const findingemo: CorpusKind = {
  name: "findingemo",
  takes: ({ text, info }) => NAME.test(text) && (info?.isFile ?? false),
  async *images(text, options) {
    yield* await readAnnotations(text, options);
  },
  folder: dirname,
  annotates: true,
};

/** The images of a FindingEmo table, beside it, each with all its annotations. */
async function readAnnotations(
  file: string,
  { base, note }: ReadOptions,
): Promise<CorpusImage[]> {
  const text = await readText(
    pathFrom(base, file),
    (_, why) => {
      throw new UsageError(`Cannot read annotations from ${file}: ${why}`);
    },
    (notice) => note?.(`${basename(file)}: ${notice}`),
  );
  const rows = readFindingEmo(text, basename(file));
  const locate = locator(dirname(file), base);
  const images: CorpusImage[] = [];
  for (const [path, all] of Map.groupBy(rows, ({ image }) => image)) {
    const annotation = numbered(all.map(({ columns }) => {
      // The annotator's id is dropped: result tables are shared.
      const { image_path: _, user: __, ...rest } = columns;
      return rest;
    }));
    images.push({ path, ...await locate(path), annotation });
  }
  return images;
}
