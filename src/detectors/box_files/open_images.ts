/**
 * Boxes of Open Images: CSV with ImageID, LabelName, XMin, XMax, YMin, YMax and, in most files, Source, Confidence and more columns;
 * corners are fractions of the image's width and height.
 *
 * https://storage.googleapis.com/openimages/web/download_v7.html
 *
 * @module
 */

import {
  type BoxFormat,
  type BoxTableParts,
  checked,
  csvHeader,
  csvRecords,
  decimal,
  refuse,
  utf8,
} from "./table.ts";
import type { Box } from "../detector.ts";

const COLUMNS = ["ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"] as const;

/** Open Images' CSV. */
export const openImages: BoxFormat = {
  title: "Open Images' CSV",
  claims(text) {
    const header = csvHeader(text);
    return COLUMNS.every((column) => header.includes(column));
  },
  read: readOpenImages,
  labelNames: {
    file: /class-descriptions.*\.csv$/i,
    missing:
      "labels are Open Images' codes; put class-descriptions-boxable.csv beside it for their names",
    read: readClassNames,
  },
};

/**
 * ImageID is the file's name without its ending; without a Confidence it is 1.
 *
 * @param classNames names of the codes such as /m/01g317; a code without a name is its own label.
 * @throws {UsageError} naming the line and the value.
 */
function readOpenImages(
  text: string,
  origin: string,
  classNames?: ReadonlyMap<string, string>,
): BoxTableParts {
  const records = csvRecords(text, origin);
  const header = records.shift()!.record;
  const images = new Map<string, Box[]>();
  for (const { info, record } of records) {
    const where = `line ${info.lines}`;
    if (record.length !== header.length) {
      refuse(origin, where, `${record.length} fields, the header has ${header.length}`);
    }
    const field = (name: string) => record[header.indexOf(name)] ?? "";
    const fraction = (name: string) => {
      const value = decimal(field(name));
      if (!(value >= 0 && value <= 1)) {
        refuse(origin, where, `${name} is ${JSON.stringify(field(name))}, not within 0..1`);
      }
      return value;
    };
    const image = field("ImageID");
    if (image === "") refuse(origin, where, "the ImageID is empty");
    const code = field("LabelName");
    const box = checked(origin, where, {
      label: classNames?.get(code) ?? code,
      confidence: field("Confidence") === "" ? 1 : fraction("Confidence"),
      x0: fraction("XMin"),
      y0: fraction("YMin"),
      x1: fraction("XMax"),
      y1: fraction("YMax"),
    });
    const boxes = images.get(image);
    if (boxes) boxes.push(box);
    else images.set(image, [box]);
  }
  return { images, relative: true, stems: true };
}

/**
 * Reads `class-descriptions-boxable.csv`: a code and its name in each row, with or without the header LabelName,DisplayName.
 *
 * @throws {UsageError} naming the line.
 */
export function readClassNames(bytes: Uint8Array, origin: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const { info, record } of csvRecords(utf8(bytes, origin), origin)) {
    const [code, name] = record;
    if (record.length !== 2 || !code || !name) {
      refuse(origin, `line ${info.lines}`, "a code and a name are expected");
    }
    if (code === "LabelName") continue;
    if (names.has(code)) refuse(origin, `line ${info.lines}`, `${code} occurs twice`);
    names.set(code, name);
  }
  return names;
}
