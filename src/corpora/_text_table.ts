/**
 * Tables of images: their bytes, their text, their rows, with one form of refusal.
 *
 * @module
 */

import { CsvFault, type CsvTable, readCsvTable } from "../base/csv_table.ts";
import { messageOf } from "../base/errors.ts";
import { decodeText, TextError } from "../base/text.ts";

/** How a table's reader refuses it. */
export type Fail = (line: number | undefined, what: string) => never;

/** A file's text. `fail` is told why it cannot be read; `note` what was inferred. */
export async function readText(
  path: string,
  fail: Fail,
  note: (notice: string) => void,
): Promise<string> {
  try {
    const { text, notice } = decodeText(await Deno.readFile(path));
    if (notice !== undefined) note(notice);
    return text;
  } catch (error) {
    return fail(undefined, error instanceof TextError ? error.message : messageOf(error));
  }
}

/** The rows of a text. `fail` is told of what cannot be read. */
export function tableOf(
  text: string,
  fail: Fail,
  options: Parameters<typeof readCsvTable>[1] = {},
): CsvTable {
  try {
    return readCsvTable(text, options);
  } catch (error) {
    if (!(error instanceof CsvFault)) throw error;
    return fail(error.line, error.message);
  }
}
