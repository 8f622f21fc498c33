/**
 * Tables of boxes made elsewhere, and what reading them has in common.
 *
 * @module
 */

import { type CsvError, parse } from "csv-parse/sync";
import { messageOf, UsageError } from "../../base/errors.ts";
import type { Box } from "../detector.ts";

/** What a reader finds. */
export interface BoxTableParts {
  /** Images as the file names them; with `/` and without a leading `./`. An image can have no boxes. */
  readonly images: ReadonlyMap<string, readonly Box[]>;
  /** The boxes are in fractions of the image's width and height, not in pixels. */
  readonly relative?: true;
  /** The images are named without their file's ending. */
  readonly stems?: true;
  /** How many boxes without width or height were left out. */
  readonly leftOut?: number;
  /** All labels, where the file lists them; else those of its boxes count. */
  readonly labels?: readonly string[];
}

/** One format of files of boxes. */
export interface BoxFormat {
  readonly title: string;
  /** Whether a text is of this format. */
  claims(text: string): boolean;
  /**
   * Reads a text.
   *
   * @param labelNames the names of its labels, for a format that has them in another file
   * @throws {UsageError} naming the line or place, the value met and what is expected.
   */
  read(text: string, origin: string, labelNames?: ReadonlyMap<string, string>): BoxTableParts;
  /** The file beside it that names its labels, for a format whose labels are codes. */
  readonly labelNames?: {
    /** How its name begins and ends. */
    readonly file: RegExp;
    /** What to say if there is none. */
    readonly missing: string;
    /** @throws {UsageError} naming the line. */
    read(bytes: Uint8Array, origin: string): ReadonlyMap<string, string>;
  };
}

/** The boxes of a file, by the name the file gives each image. */
export interface BoxTable extends BoxTableParts {
  /** Name of the file, for messages. */
  readonly origin: string;
  readonly sha256: string;
  /** Labels in order of their first occurrence, or of the file's list. */
  readonly labels: readonly string[];
}

/** @throws {UsageError} when there are no boxes at all. */
export function boxTable(origin: string, sha256: string, parts: BoxTableParts): BoxTable {
  const labels = new Set<string>();
  for (const boxes of parts.images.values()) for (const box of boxes) labels.add(box.label);
  if (labels.size === 0) {
    throw new UsageError(`Cannot read boxes from ${origin}: it holds no boxes`);
  }
  return { origin, sha256, ...parts, labels: parts.labels ?? [...labels] };
}

/** Text of a file. @throws {UsageError} when it is not UTF-8. */
export function utf8(bytes: Uint8Array, origin: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`Cannot read boxes from ${origin}: it is not UTF-8 text`);
  }
}

/** A path with `/`, without a leading `./`. */
export function normal(path: string): string {
  return path.trim().replaceAll("\\", "/").replace(/^(\.\/)+/, "");
}

/** A path without its file's ending. */
export function stemOf(path: string): string {
  return path.replace(/(?<=[^/])\.[^./]*$/, "");
}

/** A plain decimal number; NaN for any other text, such as hexadecimal or nothing. */
export function decimal(text: string): number {
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : NaN;
}

/** One row of a CSV file. */
interface CsvRecord {
  readonly info: { readonly lines: number };
  readonly record: string[];
}

const CSV = { bom: true, trim: true, skip_empty_lines: true, relax_column_count: true } as const;

/** The header of a CSV text; empty where it cannot be read. */
export function csvHeader(text: string): readonly string[] {
  try {
    return (parse(text, { ...CSV, to: 1 }) as string[][])[0] ?? [];
  } catch {
    return [];
  }
}

/** The rows of a CSV text, the header among them. @throws {UsageError} naming the line. */
export function csvRecords(text: string, origin: string): CsvRecord[] {
  try {
    return parse(text, { ...CSV, info: true }) as unknown as CsvRecord[];
  } catch (error) {
    const line = (error as Partial<CsvError> & { lines?: number }).lines;
    throw new UsageError(
      `Cannot read boxes from ${origin}${line ? `, line ${line}` : ""}: ${messageOf(error)}`,
    );
  }
}

/** @throws {UsageError} */
export function refuse(origin: string, where: string, what: string): never {
  throw new UsageError(`Cannot read boxes from ${origin}, ${where}: ${what}`);
}

/** What all formats ask of a box. */
export function checked(origin: string, where: string, box: Box): Box {
  const { label, confidence, x0, y0, x1, y1 } = box;
  if (label.trim() === "") refuse(origin, where, "the label is empty");
  if (!(confidence >= 0 && confidence <= 1)) {
    refuse(origin, where, `confidence is ${confidence}, not within 0..1`);
  }
  if (!(x1 > x0)) refuse(origin, where, `x1 is ${x1}, not over x0 = ${x0}`);
  if (!(y1 > y0)) refuse(origin, where, `y1 is ${y1}, not over y0 = ${y0}`);
  return box;
}
