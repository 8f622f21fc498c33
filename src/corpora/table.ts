/**
 * A table (CSV or TSV) with a column of paths; its other columns are annotations.
 *
 * @module
 */

import { basename, dirname, resolve } from "node:path";
import { columnAt, repeatedColumn, withPoint } from "../base/csv_table.ts";
import { UsageError } from "../base/errors.ts";
import { pathFrom } from "../base/files.ts";
import { OwnFiles } from "../base/own_files.ts";
import { DRAWN } from "./_left_out.ts";
import type { CorpusImage } from "../image/image_file.ts";
import { columnName, numbered } from "./_annotations.ts";
import { locator, type Place } from "./_locate.ts";
import { slashes } from "./_paths.ts";
import { type Fail, readText, tableOf } from "./_text_table.ts";
import type { CorpusKind, ReadOptions } from "./corpus_kind.ts";

const TABLE_NAME = /\.(csv|tsv)$/i;

/** Names of the column that holds paths, in order of preference. */
const PATH_COLUMNS = ["path", "image_path", "image", "filename", "file_name", "file", "rel_path"];

/** Columns of numbers, which can have decimal commas. */
const NUMBERS = /^(?:valence|arousal|ambiguity)(?:\.\d+)?$/;

/**
 * The images that a table names, by paths from the table's folder. They need not exist: a missing file becomes a failed image. Rows that name
 * one image again are further annotations of it, with the columns `emotion.2`, `emotion.3` …
 */
export const table: CorpusKind = {
  name: "table",
  takes: ({ text, info }) => info !== undefined && !info.isDirectory && TABLE_NAME.test(text),
  async *images(text, options) {
    yield* await readTable(text, options);
  },
};

/** An image with what each of its rows says. */
interface Rows {
  readonly path: string;
  readonly place: Place;
  readonly all: Readonly<Record<string, string>>[];
}

async function readTable(file: string, { base, note }: ReadOptions): Promise<CorpusImage[]> {
  const refuse = (why: string): never => {
    throw new UsageError(`Cannot read the image table ${basename(file)}: ${why}`);
  };
  const fail: Fail = (line, what) => refuse(line === undefined ? what : `line ${line}: ${what}`);
  const tell = (notice: string) => note?.(`${basename(file)}: ${notice}`);
  const text = await readText(pathFrom(base, file), fail, tell);
  const { columns, rows, delimiter, notices } = tableOf(text, fail, {
    absent: true,
    ...file.toLowerCase().endsWith(".tsv") ? { delimiter: "\t" } : {},
  });
  notices.forEach(tell);
  if (rows.length === 0) refuse("it has no rows");
  const paths = PATH_COLUMNS.map((name) => columnAt(columns, name)).find((at) => at >= 0) ?? -1;
  if (paths < 0) {
    refuse(`none of its columns (${columns.join(", ")}) is called ${PATH_COLUMNS.join(", ")}`);
  }
  const twice = repeatedColumn(columns);
  if (twice !== undefined) refuse(`the column ${JSON.stringify(twice)} occurs twice; rename one`);
  const names = columns.map(columnName);
  const locate = locator(dirname(file), base);
  const images = new Map<string, Rows>();
  for (const [i, { fields, written }] of rows.entries()) {
    if (!fields[paths]) refuse(`row ${i + 1} has no ${columns[paths]}`);
    const place = await locate(written[paths]);
    const annotation = Object.fromEntries(
      fields.flatMap((text, c) => {
        const name = names[c];
        return c === paths ? [] : [[name, NUMBERS.test(name) ? withPoint(text, delimiter) : text]];
      }),
    );
    const key = resolve(pathFrom(base, place.file));
    const known = images.get(key);
    if (known) known.all.push(annotation);
    else images.set(key, { path: slashes(written[paths]), place, all: [annotation] });
  }
  tellRepeated([...images.values()], tell);
  const own = new OwnFiles();
  return [...images.values()].map(({ path, place, all }) => ({
    path,
    ...own.has(pathFrom(base, place.file)) ? { refused: DRAWN } : {},
    ...place,
    ...columns.length > 1 ? { annotation: numbered(all) } : {},
  }));
}

/** Says which images have several rows, and whether these differ. */
function tellRepeated(images: readonly Rows[], tell: (notice: string) => void): void {
  const several = images.filter(({ all }) => all.length > 1);
  if (several.length === 0) return;
  const differing = several.find(({ all }) => difference(all) !== undefined);
  const { path, all } = differing ?? several[0];
  const name = difference(all);
  const example = name === undefined
    ? `${path}: equal rows`
    : `${path}: ${name} ${all.map((row) => JSON.stringify(row[name])).join(", ")}`;
  const rows = several.reduce((sum, { all }) => sum + all.length, 0);
  const kept = Object.keys(all[0]).length === 0
    ? "each is one image"
    : `all are kept, as ${name ?? Object.keys(all[0])[0]}.2 and so on`;
  tell(`${rows} rows name ${several.length} of the images more than once (${example}); ${kept}`);
}

function difference(all: readonly Readonly<Record<string, string>>[]): string | undefined {
  return Object.keys(all[0]).find((name) => all.some((row) => row[name] !== all[0][name]));
}
