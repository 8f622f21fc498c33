/**
 * The tables in a run's folder: which there are, their hashes, and reading them row by row without their ledger.
 *
 * @module
 */

import { parse } from "csv-parse";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { compareCodePoints } from "../base/code_points.ts";
import { messageOf, UsageError } from "../base/errors.ts";

/** A table's row by column. */
export type TableRow = Readonly<Record<string, string>>;

/**
 * Names of the tables of a run, as paths with forward slashes in its folder: `boxes.csv`, `matrices/grad-cam.phi.csv` … A folder that
 * is not there has none.
 */
export async function listTables(folder: string): Promise<string[]> {
  const names: string[] = [];
  const walk = async (prefix: string) => {
    for await (const { name, isFile, isDirectory } of Deno.readDir(join(folder, prefix))) {
      if (isDirectory && !name.startsWith(".")) await walk(`${prefix}${name}/`);
      else if (isFile && name.endsWith(".csv")) names.push(prefix + name);
    }
  };
  try {
    await walk("");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort(compareCodePoints);
}

/** SHA-256 of each table, as 64 hexadecimal digits; those that are not there are left out. Files are read in pieces. */
export async function hashTables(
  folder: string,
  names?: readonly string[],
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  const there = await listTables(folder);
  for (const name of names?.filter((own) => there.includes(own)) ?? there) {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(join(folder, name))) hash.update(chunk);
    hashes[name] = hash.digest("hex");
  }
  return hashes;
}

/**
 * The rows of a table, one at a time, so that memory stays flat. A table that is not there has none.
 *
 * @throws {UsageError} when it is not CSV.
 */
export async function* readRows(folder: string, name: string): AsyncGenerator<TableRow> {
  const file = createReadStream(join(folder, name));
  const rows = parse({ columns: true, bom: true });
  // `pipe` does not hand errors on.
  file.on("error", (error) => rows.destroy(error));
  file.pipe(rows);
  try {
    yield* rows;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return;
    throw new UsageError(
      `Cannot read ${name} of the run in ${folder}: ${
        messageOf(error)
      }; give a run as analyze left it`,
    );
  } finally {
    file.destroy();
  }
}

/** Rows of one image that follow each other. */
export interface ImageRows {
  readonly image: string;
  readonly rows: readonly TableRow[];
}

/** The rows of a table by image. Rows of a run are in the order of its images' paths, by code point. */
export async function* readByImage(
  folder: string,
  name: string,
  column: "image" | "path",
): AsyncGenerator<ImageRows> {
  let image: string | undefined, rows: TableRow[] = [];
  for await (const row of readRows(folder, name)) {
    const own = row[column] ?? "";
    if (image !== undefined && own !== image) {
      yield { image, rows };
      rows = [];
    }
    image = own;
    rows.push(row);
  }
  if (image !== undefined) yield { image, rows };
}
