/**
 * A table (CSV or TSV) with a column of paths; its other columns are annotations.
 *
 * @module
 */

import { parse } from "csv-parse/sync";
import { basename, dirname, isAbsolute, join } from "node:path";
import { messageOf, UsageError } from "../base/errors.ts";
import type { CorpusImage } from "../image/image_file.ts";
import { numbered } from "./_numbered.ts";
import { slashes } from "./_paths.ts";
import type { CorpusKind } from "./corpus_kind.ts";
import { pathFrom } from "../base/files.ts";

const TABLE_NAME = /\.(csv|tsv)$/i;

/** Names of the column that holds paths, in order of preference. */
const PATH_COLUMNS = ["path", "image_path", "image", "filename", "file_name", "file", "rel_path"];

/**
 * The images that a table names, by paths from the table's folder. They need not exist: a missing file becomes a failed image. Rows that name
 * one image again are further annotations of it, with the columns `emotion.2`, `emotion.3` …
 */
export const table: CorpusKind = {
  name: "table",
  takes: ({ text, info }) => info !== undefined && !info.isDirectory && TABLE_NAME.test(text),
  async *images(text, { base }) {
    yield* await readTable(text, base);
  },
};

async function readTable(file: string, base: string | undefined): Promise<CorpusImage[]> {
  const refuse = (why: string) => {
    throw new UsageError(`Cannot read the image table ${basename(file)}: ${why}`);
  };
  let rows: Record<string, string>[] = [];
  try {
    const text = await Deno.readTextFile(pathFrom(base, file));
    rows = parse(text, {
      columns: true,
      bom: true,
      trim: true,
      skip_empty_lines: true,
      delimiter: file.toLowerCase().endsWith(".tsv") ? "\t" : delimiterOf(text),
    });
  } catch (error) {
    refuse(messageOf(error));
  }
  const columns = Object.keys(rows[0] ?? {});
  const column = PATH_COLUMNS.map((name) => columns.find((own) => own.toLowerCase() === name))
    .find((name) => name !== undefined);
  if (rows.length === 0) refuse("it has no rows");
  if (column === undefined) {
    refuse(`none of its columns (${columns.join(", ")}) is called ${PATH_COLUMNS.join(", ")}`);
  }
  const images = new Map<string, { path: string; all: Record<string, string>[] }>();
  rows.forEach((row, i) => {
    const { [column!]: path, ...annotation } = row;
    if (!path) refuse(`row ${i + 1} has no ${column}`);
    const place = isAbsolute(path!) ? path! : join(dirname(file), path!);
    const known = images.get(place);
    if (known) known.all.push(annotation);
    else images.set(place, { path: slashes(path!), all: [annotation] });
  });
  return [...images].map(([place, { path, all }]) => ({
    path,
    file: place,
    ...columns.length > 1 ? { annotation: numbered(all) } : {},
  }));
}

/** What separates the fields: a semicolon where the header has more of them, as spreadsheets write it in half of Europe. */
function delimiterOf(text: string): "," | ";" {
  const header = (/^.*\S.*$/m.exec(text)?.[0] ?? "").replaceAll(/"[^"]*"/g, "");
  return header.split(";").length > header.split(",").length ? ";" : ",";
}
