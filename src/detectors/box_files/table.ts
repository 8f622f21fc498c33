/**
 * Tables of boxes made elsewhere, and what reading them has in common.
 *
 * @module
 */

import { normalize } from "node:path/posix";
import { CsvFault, type CsvTable, readCsvTable, withPoint } from "../../base/csv_table.ts";
import { UsageError } from "../../base/errors.ts";
import { type DecodedText, decodeText, TextError } from "../../base/text.ts";
import type { Size } from "../../image/image.ts";
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
  /** How many boxes have a corner that is not a number; they are left out, too. */
  readonly unplaced?: number;
  /** The first of all these: its place in the file, and what is wrong with it. */
  readonly firstLost?: { readonly where: string; readonly what: string };
  /** How many boxes are of a crowd or group, be they left out or not. */
  readonly groups?: number;
  /** The sizes of the pictures in whose pixels the boxes are, where the file says so. */
  readonly sizes?: ReadonlyMap<string, Size>;
  /** What was inferred or left out in reading its text. */
  readonly notices?: readonly string[];
  /** All labels, where the file lists them; else those of its boxes count. */
  readonly labels?: readonly string[];
}

/** How a file of boxes is read. */
export interface ReadBoxOptions {
  /** The names of its labels, for a format that has them in another file. */
  readonly labelNames?: ReadonlyMap<string, string> | undefined;
  /** Whether boxes of crowds and groups are left out. */
  readonly withoutGroups?: boolean;
}

/** One format of files of boxes. */
export interface BoxFormat {
  readonly title: string;
  /** Whether a text is of this format. */
  claims(text: string): boolean;
  /**
   * Reads a text. Boxes without extent or place are left out and counted.
   *
   * @throws {UsageError} naming the line or place, the value met and what is expected.
   */
  read(text: string, origin: string, options: ReadBoxOptions): BoxTableParts;
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
  /** How it is read, where that is not as the file says. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Labels in order of their first occurrence, or of the file's list. */
  readonly labels: readonly string[];
}

/** @throws {UsageError} when there are no boxes at all. */
export function boxTable(origin: string, sha256: string, parts: BoxTableParts): BoxTable {
  const labels = new Set<string>();
  for (const boxes of parts.images.values()) for (const box of boxes) labels.add(box.label);
  if (labels.size === 0) {
    const { firstLost, leftOut = 0, unplaced = 0 } = parts;
    if (!firstLost) throw new UsageError(`Cannot read boxes from ${origin}: it holds no boxes`);
    const lost = leftOut + unplaced;
    refuse(
      origin,
      firstLost.where,
      `${firstLost.what}; it holds no boxes that have a width and a height (${lost} without)`,
    );
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

/** The boxes of a file as they are read, and how many cannot be used. */
export class BoxList {
  readonly images = new Map<string, Box[]>();
  readonly #origin: string;
  readonly #withoutGroups: boolean;
  #leftOut = 0;
  #unplaced = 0;
  #groups = 0;
  #firstLost: BoxTableParts["firstLost"];

  constructor(origin: string, { withoutGroups = false }: ReadBoxOptions = {}) {
    this.#origin = origin;
    this.#withoutGroups = withoutGroups;
  }

  /** An image, which need not have boxes. */
  image(name: string): Box[] {
    const known = this.images.get(name);
    if (known) return known;
    const boxes: Box[] = [];
    this.images.set(name, boxes);
    return boxes;
  }

  /**
   * Adds a box, unless it has no extent or no place: then it counts as left out.
   *
   * @param group whether it is of a crowd or group
   * @throws {UsageError} for what all formats ask of a box: a label, and a confidence within 0..1.
   */
  add(name: string, where: string, box: Box, group = false): void {
    const { label, confidence, x0, y0, x1, y1 } = box;
    const boxes = this.image(name);
    if (label === "") refuse(this.#origin, where, "the label is empty");
    if (!(confidence >= 0 && confidence <= 1)) {
      refuse(this.#origin, where, `confidence is ${confidence}, not within 0..1`);
    }
    if (group) this.#groups++;
    if (group && this.#withoutGroups) return;
    const what = Object.entries({ x0, y0, x1, y1 })
      .map(([name, value]) => Number.isFinite(value) ? undefined : `${name} is not a number`)
      .find((text) => text !== undefined) ??
      (x1 > x0 ? undefined : `x1 is ${x1}, not over x0 = ${x0}`) ??
      (y1 > y0 ? undefined : `y1 is ${y1}, not over y0 = ${y0}`);
    if (what === undefined) {
      boxes.push(box);
      return;
    }
    if ([x0, y0, x1, y1].every(Number.isFinite)) this.#leftOut++;
    else this.#unplaced++;
    this.#firstLost ??= { where, what };
  }

  /** What was found. */
  parts(): BoxTableParts {
    return {
      images: this.images,
      ...this.#leftOut > 0 ? { leftOut: this.#leftOut } : {},
      ...this.#unplaced > 0 ? { unplaced: this.#unplaced } : {},
      ...this.#firstLost ? { firstLost: this.#firstLost } : {},
      ...this.#groups > 0 ? { groups: this.#groups } : {},
    };
  }
}

/** Values that are written where there is no number: by R, pandas, Excel, databases. */
const ABSENT = /^(na|nan|n\/a|#n\/a|none|null)$/i;

/** A corner: NaN where it says that there is none. @returns nothing for any other text that is not a number. */
export function corner(text: string, delimiter = ""): number | undefined {
  const value = decimal(withPoint(text, delimiter));
  return Number.isFinite(value) ? value : ABSENT.test(text) ? NaN : undefined;
}
