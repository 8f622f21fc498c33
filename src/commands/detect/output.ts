/**
 * Where the boxes of `detect` go: tables or JSON on standard output, or a CSV or JSON file.
 *
 * @module
 */

import { basename, dirname } from "node:path";
import { messageOf, UsageError } from "../../base/errors.ts";
import { csvText } from "../../base/csv.ts";
import type { Box } from "../../detectors/mod.ts";
import { textTable } from "../terminal.ts";
import { legible } from "../../base/legible.ts";
import { OwnedFolder } from "../../base/owned_folder.ts";
import { isFolder, type WholeFile } from "../../base/files.ts";
import { flag } from "../../base/flag.ts";

/** The boxes of one image. */
export interface DetectedImage {
  /** Path of the image. */
  readonly image: string;
  /** Its size in pixels, as it was decoded. */
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
}

/** Takes images in order. */
interface DetectOutput {
  add(image: DetectedImage): void;
  /** After the last image. */
  end(): void;
  /** In place of `end`, when something went wrong. */
  abandon(): void;
}

/** The columns of the CSV, which is also what `--detector FILE` reads. */
const COLUMNS = ["image", "label", "confidence", "x0", "y0", "x1", "y1"] as const;

/** Lines of one kind of output, without their last line end; nothing if there are none. */
interface Format {
  readonly before: string;
  /** @param first whether it is the first image. */
  text(image: DetectedImage, first: boolean): string;
  readonly after: string;
}

const CSV: Format = {
  before: COLUMNS.join(),
  text: ({ image, boxes }) =>
    csvText(
      boxes.map((
        { label, confidence, x0, y0, x1, y1 },
      ) => [image, label, confidence, x0, y0, x1, y1]),
    ).trimEnd(),
  after: "",
};

/** An array with one image a line. */
const JSON_ARRAY: Format = {
  before: "[",
  text: ({ image, width, height, boxes }, first) => {
    const plain = boxes.map(({ label, confidence, x0, y0, x1, y1 }) => (
      { label, confidence, x0, y0, x1, y1 }
    ));
    return `${first ? " " : ","}${JSON.stringify({ image, width, height, boxes: plain })}`;
  },
  after: "]",
};

/** For people: a heading and a table an image. */
const TABLES: Format = {
  before: "",
  text: ({ image, width, height, boxes }, first) => {
    const count = boxes.length === 1 ? "1 box" : `${boxes.length} boxes`;
    const heading = `${legible(image)}  ${width} × ${height} pixels, ${count}`;
    const table = textTable(
      COLUMNS.slice(1),
      boxes.map(({ label, confidence, x0, y0, x1, y1 }) => [
        legible(label),
        confidence.toFixed(3),
        ...[x0, y0, x1, y1].map((value) => value.toFixed(1)),
      ]),
    );
    return `${first ? "" : "\n"}${heading}${boxes.length > 0 ? `\n${table}` : ""}`;
  },
  after: "",
};

/** @param print takes lines without their last line end. */
function through(format: Format, print: (lines: string) => void): DetectOutput {
  const put = (lines: string) => {
    if (lines !== "") print(lines);
  };
  let first = true;
  put(format.before);
  return {
    add(image) {
      put(format.text(image, first));
      first = false;
    },
    end: () => put(format.after),
    abandon() {},
  };
}

/** Standard output. */
export function printed(json: boolean): DetectOutput {
  return through(json ? JSON_ARRAY : TABLES, (lines) => console.log(lines));
}

/**
 * A file, which appears under its name when it is whole.
 *
 * @throws {UsageError} when it cannot be written.
 */
export async function fileOutput(path: string): Promise<DetectOutput> {
  const refused = (error: unknown) =>
    new UsageError(
      `Cannot write boxes to ${flag("out")} ${JSON.stringify(path)}: ${
        messageOf(error)
      }; give the path of a file in a folder that exists`,
    );
  let file: WholeFile;
  try {
    if (path.trim() === "") throw new Error("it is empty");
    if (await isFolder(path)) throw new Error("it is a folder");
    file = new OwnedFolder(dirname(path)).begin(basename(path));
  } catch (error) {
    throw refused(error);
  }
  const format = path.toLowerCase().endsWith(".csv") ? CSV : JSON_ARRAY;
  const output = through(format, (lines) => file.writeSync(`${lines}\n`));
  return {
    add: output.add,
    end() {
      output.end();
      try {
        file.finish();
      } catch (error) {
        if (error instanceof UsageError) throw error;
        throw refused(error);
      }
    },
    abandon: () => file.abandon(),
  };
}
