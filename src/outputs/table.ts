/**
 * The tables of a run as CSV (RFC 4180, UTF-8, line feeds), written row by row: memory stays flat however large the corpus, and equal
 * rows give equal bytes. A table appears under its name only when it is whole.
 *
 * @module
 */

import { csvText, type Field } from "../base/csv.ts";
import { WholeFile } from "../base/files.ts";

/** Rows that are turned into text at once. */
const CHUNK = 512;

/** Where a table goes: to a path, or into a file that was begun. */
export type Destination = string | WholeFile;

/**
 * Writes a CSV file: first beside it under a temporary name, then renamed. When `rows` throws, nothing is left and an older file of the
 * name stays as it was.
 *
 * @returns the number of rows, without the header.
 */
export function writeTable(
  to: Destination,
  header: readonly string[],
  rows: Iterable<readonly Field[]>,
): number {
  const file = typeof to === "string" ? new WholeFile(to) : to;
  let count = 0;
  try {
    let chunk: (readonly Field[])[] = [header];
    for (const row of rows) {
      chunk.push(row);
      count++;
      if (chunk.length >= CHUNK) {
        file.writeSync(csvText(chunk));
        chunk = [];
      }
    }
    file.writeSync(csvText(chunk));
  } catch (error) {
    file.abandon();
    throw error;
  }
  file.finish();
  return count;
}

export function* mapRows<T>(rows: Iterable<T>, map: (row: T) => Field[]): Generator<Field[]> {
  for (const row of rows) yield map(row);
}
