/**
 * The one reader of tables that users give, as spreadsheets, R and pandas write them: comma, semicolon, tab or bar, `sep=;`, empty columns and rows
 * at the ends, R's column of row numbers.
 *
 * @module
 */

import { type CsvError, parse } from "csv-parse/sync";
import { messageOf } from "./errors.ts";
import { tidy } from "./text.ts";

type Delimiter = "," | ";" | "\t" | "|";

/** A row of a table. */
export interface CsvRow {
  /** The line on which it ends, from 1. */
  readonly line: number;
  /** As many as there are columns; trimmed and in NFC. */
  readonly fields: readonly string[];
  /** The same, in the Unicode form that the file has: paths are bytes. */
  readonly written: readonly string[];
}

/** A table as it is read. */
export interface CsvTable {
  /** The header, trimmed and in NFC. Find a column by {@linkcode columnAt}: case does not matter. */
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
  readonly delimiter: Delimiter;
  /** What was left out or inferred. Each follows the file's name and a colon. */
  readonly notices: readonly string[];
}

/** Why a text is no table that can be read. */
export class CsvFault extends Error {
  override name = "CsvFault";
  constructor(readonly line: number | undefined, what: string) {
    super(what);
  }
}

/** How a table is read. */
interface CsvOptions {
  /** By default the one that the header has most of. */
  readonly delimiter?: Delimiter;
  /** Whether `NA`, `NaN` and `#N/A` without quotes are absent values (empty), as R, pandas and Excel write them. */
  readonly absent?: boolean;
}

/** Before a text that was in quotes and would count as absent without them: a character that no table has. */
const QUOTED = "\0";

/**
 * Reads a table with a header. Rows that are empty do not count; nor do empty fields after the last column.
 *
 * @returns no columns and no rows for a text without any.
 * @throws {CsvFault} naming the line, when a row has another number of fields than the header, or quotes are broken.
 */
export function readCsvTable(text: string, options: CsvOptions = {}): CsvTable {
  const named = /^\ufeff?"?sep=(.)"?\s*?(?:\r\n|\r|\n)/i.exec(text);
  const delimiter = named ? delimiterNamed(named[1]) : options.delimiter ?? delimiterOf(text);
  // The line stays, empty, so that lines are counted as the file has them.
  const body = named ? text.replace(/^.*/, "") : text;
  const [header, ...records] = recordsOf(body, delimiter)
    .filter(({ cells }) => cells.some((cell) => cell !== ""));
  if (header === undefined) return { columns: [], rows: [], delimiter, notices: [] };
  const names = header.cells.map((cell) => tidy(unquoted(cell)));
  const used = records.reduce(
    (most, { cells }) => Math.max(most, filled(cells)),
    filled(header.cells),
  );
  names.length = Math.min(names.length, used);
  const notices: string[] = [];
  const numbers = rowNumbers(names, records.map(({ cells }) => cells));
  if (numbers !== undefined && names.length < used) names.unshift("");
  names.forEach((name, i) => {
    if (name !== "" || (i === 0 && numbers !== undefined)) return;
    names[i] = `column ${i + 1}`;
    notices.push(`column ${i + 1} has no name; it is called "column ${i + 1}"`);
  });
  const dropped = numbers === undefined ? 0 : 1;
  if (dropped > 0) notices.push("its first column, row numbers without a name, is left out");
  const absent = new Map<string, number>();
  const rows = records.map(({ cells, line }) => {
    if (cells.length < names.length || filled(cells) > names.length) {
      throw new CsvFault(line, `${cells.length} fields, the header has ${header.cells.length}`);
    }
    const kept = cells.slice(dropped, names.length);
    const written = kept.some((cell) => cell.startsWith(QUOTED)) ? kept.map(unquoted) : kept;
    const fields = kept.map((cell, i) => {
      if (!options.absent || !ABSENT.test(cell)) return tidy(written[i]);
      const name = names[i + dropped];
      absent.set(name, (absent.get(name) ?? 0) + 1);
      return "";
    });
    // Most rows are the same in both forms: then they are one array.
    return {
      line,
      fields,
      written: fields.every((text, i) => text === written[i]) ? fields : written,
    };
  });
  for (const [name, count] of absent) {
    notices.push(`NA counts as no value in the column ${JSON.stringify(name)} (${count} times)`);
  }
  return { columns: names.slice(dropped), rows, delimiter, notices };
}

const ABSENT = /^(NA|NaN|#N\/A)$/;

function unquoted(cell: string): string {
  return cell.startsWith(QUOTED) ? cell.slice(QUOTED.length) : cell;
}

function recordsOf(text: string, delimiter: Delimiter): { cells: string[]; line: number }[] {
  try {
    const rows = parse(text, {
      bom: true,
      trim: true,
      delimiter,
      info: true,
      // Several kinds in one file, as after a `sep=` that was put before it.
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      skip_empty_lines: true,
      cast(value, { quoting }) {
        const text = value.trim();
        return quoting && ABSENT.test(text) ? QUOTED + text : text;
      },
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return rows.map(({ record, info }) => ({ cells: record, line: info.lines }));
  } catch (error) {
    throw new CsvFault((error as Partial<CsvError> & { lines?: number }).lines, messageOf(error));
  }
}

/** How many fields there are up to the last that is not empty. */
function filled(cells: readonly string[]): number {
  return cells.findLastIndex((cell) => cell !== "") + 1;
}

/**
 * Whether the first column is R's or pandas' row numbers: it counts from 1 or 0, and its name is empty (`write.csv`, `to_csv`) or not there
 * (`write.table`).
 */
function rowNumbers(names: readonly string[], rows: readonly string[][]): true | undefined {
  if (rows.length === 0 || names.length === 0) return undefined;
  const unnamed = names[0] === "" && names.length > 1;
  const shifted = names[0] !== "" && rows.every((cells) => filled(cells) <= names.length + 1) &&
    rows.every((cells) => cells.length === names.length + 1) &&
    rows.some((cells) => filled(cells) === names.length + 1);
  // A single row that is longer than the header is more likely a row with a comma too many.
  if (!unnamed && !(shifted && rows.length > 1)) return undefined;
  const first = rows[0][0];
  if (first !== "0" && first !== "1") return undefined;
  return rows.every(([cell], i) => cell === String(i + Number(first))) ? true : undefined;
}

function delimiterNamed(character: string): Delimiter {
  if (character === "," || character === ";" || character === "\t" || character === "|") {
    return character;
  }
  throw new CsvFault(
    1,
    `its separator is ${JSON.stringify(character)}; use comma, semicolon or tab`,
  );
}

/** What separates the fields: what the header has most of, outside quotes; a comma where it has none. */
function delimiterOf(text: string): Delimiter {
  const start = text.replace(/^\s+/, "").replaceAll(/"(?:[^"]|"")*"/g, "");
  const header = /^.*/.exec(start)![0];
  const count = (delimiter: Delimiter) => header.split(delimiter).length;
  return ([",", ";", "\t", "|"] as const)
    .reduce((best, own) => count(own) > count(best) ? own : best);
}

/** Where a column is, by its name without regard to case; −1 where it is not. */
export function columnAt(columns: readonly string[], name: string): number {
  const exact = columns.indexOf(name);
  if (exact >= 0) return exact;
  const lower = name.toLowerCase();
  return columns.findIndex((own) => own.toLowerCase() === lower);
}

/** The first column whose name occurs before, without regard to case. */
export function repeatedColumn(columns: readonly string[]): string | undefined {
  const lower = columns.map((name) => name.toLowerCase());
  return columns.find((_, i) => lower.indexOf(lower[i]) < i);
}

/**
 * A number as a table writes it, with a point: `0,5` of a table whose fields are not separated by commas is `0.5`. `1,234` between tabs could be a
 * thousand and more: it stays as it is, which is not a number.
 */
export function withPoint(text: string, delimiter: string): string {
  if (delimiter === "," || !/^[-+]?\d*,\d+(e[-+]?\d+)?$/i.test(text)) return text;
  if (delimiter !== ";" && /^[-+]?[1-9]\d{0,2},\d{3}$/.test(text)) return text;
  return text.replace(",", ".");
}
