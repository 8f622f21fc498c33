/**
 * Boxes of Open Images: CSV with ImageID, LabelName, XMin, XMax, YMin, YMax and, in most files, Source, Confidence and more columns;
 * corners are fractions of the image's width and height.
 *
 * https://storage.googleapis.com/openimages/web/download_v7.html
 *
 * @module
 */

import { columnAt, withPoint } from "../../base/csv_table.ts";
import {
  type BoxFormat,
  type BoxTableParts,
  checked,
  csvHeader,
  csvTable,
  decimal,
  normal,
  refuse,
  textOf,
} from "./table.ts";
import type { Box } from "../detector.ts";

const COLUMNS = ["ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"] as const;

/** Open Images' CSV. */
export const openImages: BoxFormat = {
  title: "Open Images' CSV",
  claims(text) {
    const header = csvHeader(text);
    return COLUMNS.every((column) => columnAt(header, column) >= 0);
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
  const { columns, rows, delimiter, notices } = csvTable(text, origin);
  const images = new Map<string, Box[]>();
  for (const { line, fields } of rows) {
    const where = `line ${line}`;
    const field = (name: string) => fields[columnAt(columns, name)] ?? "";
    const fraction = (name: string) => {
      const value = decimal(withPoint(field(name), delimiter));
      if (!(value >= 0 && value <= 1)) {
        refuse(origin, where, `${name} is ${JSON.stringify(field(name))}, not within 0..1`);
      }
      return value;
    };
    const image = normal(field("ImageID"));
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
  return { images, relative: true, stems: true, notices };
}

/**
 * Reads `class-descriptions-boxable.csv`: a code and its name in each row, with or without the header LabelName,DisplayName.
 *
 * @throws {UsageError} naming the line.
 */
export function readClassNames(bytes: Uint8Array, origin: string): Map<string, string> {
  const names = new Map<string, string>();
  const { columns, rows } = csvTable(textOf(bytes, origin).text, origin);
  // The header is optional: without it, the first row is one.
  for (const { line, fields } of [{ line: 1, fields: columns }, ...rows]) {
    const [code, name] = fields;
    if (fields.length !== 2 || !code || !name) {
      refuse(origin, `line ${line}`, "a code and a name are expected");
    }
    if (code === "LabelName") continue;
    if (names.has(code)) refuse(origin, `line ${line}`, `${code} occurs twice`);
    names.set(code, name);
  }
  return names;
}
