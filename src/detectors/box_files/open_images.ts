/**
 * Boxes of Open Images: CSV with ImageID, LabelName, XMin, XMax, YMin, YMax and, in most files, Source, Confidence and more columns;
 * corners are fractions of the image's width and height.
 *
 * https://storage.googleapis.com/openimages/web/download_v7.html
 *
 * @module
 */

import { columnAt } from "../../base/csv_table.ts";
import {
  type BoxFormat,
  BoxList,
  type BoxTableParts,
  corner,
  csvHeader,
  csvTable,
  normal,
  type ReadBoxOptions,
  refuse,
  textOf,
} from "./table.ts";

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
 * ImageID is the file's name without its ending; without a Confidence it is 1. A code such as /m/01g317 without a name is its own label.
 * A box with IsGroupOf 1 is around several objects.
 *
 * @throws {UsageError} naming the line and the value.
 */
function readOpenImages(
  text: string,
  origin: string,
  options: ReadBoxOptions,
): BoxTableParts {
  const { columns, rows, delimiter, notices } = csvTable(text, origin);
  const list = new BoxList(origin, options);
  for (const { line, fields } of rows) {
    const where = `line ${line}`;
    const field = (name: string) => fields[columnAt(columns, name)] ?? "";
    const fraction = (name: string) => {
      const value = corner(field(name), delimiter);
      const absent = Number.isNaN(value) && name !== "Confidence";
      if (value === undefined || !absent && !(value >= 0 && value <= 1)) {
        refuse(origin, where, `${name} is ${JSON.stringify(field(name))}, not within 0..1`);
      }
      return value;
    };
    const image = normal(field("ImageID"));
    if (image === "") refuse(origin, where, "the ImageID is empty");
    const code = field("LabelName");
    const box = {
      label: options.labelNames?.get(code) ?? code,
      confidence: field("Confidence") === "" ? 1 : fraction("Confidence"),
      x0: fraction("XMin"),
      y0: fraction("YMin"),
      x1: fraction("XMax"),
      y1: fraction("YMax"),
    };
    list.add(image, where, box, field("IsGroupOf") === "1");
  }
  return { ...list.parts(), relative: true, stems: true, notices };
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
