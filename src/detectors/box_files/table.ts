/**
 * Tables of boxes made elsewhere, and what reading them has in common.
 *
 * @module
 */

import { normalize } from "node:path/posix";
import { CsvFault, type CsvTable, readCsvTable } from "../../base/csv_table.ts";
import { UsageError } from "../../base/errors.ts";
import { type DecodedText, decodeText, TextError } from "../../base/text.ts";
import type { Box } from "../detector.ts";

/** What a reader finds. */
export interface BoxTableParts {
  /** Images as the file names them; with `/` and without a leading `./`. An image can have no boxes. */
  readonly images: ReadonlyMap<string, readonly Box[]>;
  /** The boxes are in fractions of the image's width and height, not in pixels. */
  readonly relative?: true;
  /** The images are named without their file's ending. */
  readonly stems?: true;
  /** They may lie in a folder `labels` beside that of the images. */
  readonly besideImages?: true;
  /** How many boxes without width or height were left out. */
  readonly leftOut?: number;
  /** What was inferred or left out in reading its text. */
  readonly notices?: readonly string[];
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
  /** Folders from which its names may be relative paths of files: its own, and that in which emocam was started. */
  readonly folders?: readonly string[];
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

/** Text of a file, and what was inferred of it. @throws {UsageError} when its encoding cannot be told, or it is broken. */
export function textOf(bytes: Uint8Array, origin: string): DecodedText {
  try {
    return decodeText(bytes);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    throw new UsageError(`Cannot read boxes from ${origin}: ${error.message}`);
  }
}

/** A path with `/`, without a leading `./` or other detours, in Unicode's composed form (NFC). Nothing stays nothing. */
export function normal(path: string): string {
  const plain = path.trim().replaceAll("\\", "/").normalize("NFC");
  return plain === "" ? "" : normalize(plain);
}

/** A path without its file's ending. */
export function stemOf(path: string): string {
  return path.replace(/(?<=[^/])\.[^./]*$/, "");
}

/** A plain decimal number; NaN for any other text, such as hexadecimal or nothing. */
export function decimal(text: string): number {
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : NaN;
}

/** The header of a CSV text; empty where it cannot be read. */
export function csvHeader(text: string): readonly string[] {
  const start = /^(?:sep=.*\r?\n)?\s*.*/i.exec(text)![0];
  try {
    return readCsvTable(start).columns;
  } catch {
    return [];
  }
}

/** The table in a CSV text. @throws {UsageError} naming the line. */
export function csvTable(text: string, origin: string): CsvTable {
  try {
    return readCsvTable(text);
  } catch (error) {
    if (!(error instanceof CsvFault)) throw error;
    const { line, message } = error;
    throw new UsageError(
      `Cannot read boxes from ${origin}${line ? `, line ${line}` : ""}: ${message}`,
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
