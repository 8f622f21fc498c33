/**
 * Boxes as CSV with the header `image,label,confidence,x0,y0,x1,y1` (any order); corners in image pixels.
 * Columns `image_width` and `image_height` tell in the pixels of which picture; other columns are ignored.
 *
 * @module
 */

import { columnAt, type CsvTable } from "../../base/csv_table.ts";
import { UsageError } from "../../base/errors.ts";
import type { Size } from "../../image/image.ts";
import type { Box } from "../detector.ts";
import {
  type BoxFormat,
  BoxList,
  type BoxTableParts,
  corner,
  csvTable,
  decimal,
  normal,
  type ReadBoxOptions,
  refuse,
} from "./table.ts";

const CORNERS = ["x0", "y0", "x1", "y1"] as const;
const COLUMNS = ["image", "label", "confidence", ...CORNERS] as const;

/** Our own CSV, and whatever no other format claims: it says which columns are missing. */
export const csv: BoxFormat = { title: "CSV", claims: () => true, read: readCsv };

function readCsv(text: string, origin: string, options: ReadBoxOptions): BoxTableParts {
  const table = csvTable(text, origin);
  const list = new BoxList(origin, options);
  for (const { image, where, box } of csvBoxes(table, origin)) {
    if (box) list.add(image, where, box);
    else list.image(image);
  }
  const sizes = pictureSizes(table);
  return { ...list.parts(), notices: table.notices, ...sizes ? { sizes } : {} };
}

/** A row of a table of boxes. */
interface BoxRow {
  readonly image: string;
  /** For messages. */
  readonly where: string;
  /** Absent where all fields but the image are empty, which says that there is nothing in it (as for keras-retinanet). */
  readonly box?: Box;
  readonly fields: readonly string[];
}

/**
 * The rows of a table of boxes.
 *
 * @throws {UsageError} naming the columns that are missing, or the line and the value met.
 */
export function* csvBoxes(
  { columns: header, rows, delimiter }: CsvTable,
  origin: string,
): Generator<BoxRow> {
  const missing = COLUMNS.filter((column) => columnAt(header, column) < 0);
  if (missing.length) {
    throw new UsageError(
      `Cannot read boxes from ${origin}: column ${missing.join(", ")} missing in the header ${
        JSON.stringify(header.join(","))
      }; expected ${COLUMNS.join(",")}`,
    );
  }
  for (const { line, fields } of rows) {
    const where = `line ${line}`;
    const field = (column: typeof COLUMNS[number]) => fields[columnAt(header, column)];
    const image = normal(field("image"));
    if (image === "") refuse(origin, where, "the image is empty");
    if (COLUMNS.every((column) => column === "image" || field(column) === "")) {
      yield { image, where, fields };
      continue;
    }
    const number = (column: "confidence" | typeof CORNERS[number]) => {
      const value = corner(field(column), delimiter);
      if (value === undefined || column === "confidence" && Number.isNaN(value)) {
        refuse(origin, where, `${column} is ${JSON.stringify(field(column))}, not a number`);
      }
      return value;
    };
    const box = {
      label: field("label"),
      confidence: number("confidence"),
      x0: number("x0"),
      y0: number("y0"),
      x1: number("x1"),
      y1: number("y1"),
    };
    yield { image, where, fields, box };
  }
}

/** Names of columns that tell the size of the picture. */
const SIZE_COLUMNS = [
  ["image_width", "image_height"],
  ["img_width", "img_height"],
  ["imagewidth", "imageheight"],
  ["width", "height"],
] as const;

/**
 * The sizes of the pictures, where columns tell them. `width` and `height` may also be those of the boxes: they only count where they are not, and
 * are the same in all rows of an image.
 */
function pictureSizes({ columns: header, rows }: CsvTable): Map<string, Size> | undefined {
  for (const [across, down] of SIZE_COLUMNS) {
    const columns = [across, down].map((name) => columnAt(header, name));
    if (columns.some((column) => column < 0)) continue;
    const sizes = new Map<string, Size>();
    let extents = across === "width";
    for (const { fields } of rows) {
      const [width, height] = columns.map((column) => decimal(fields[column]));
      const [x0, y0, x1, y1] = CORNERS.map((name) => decimal(fields[columnAt(header, name)]));
      if (Math.abs(x1 - x0 - width) > 1 || Math.abs(y1 - y0 - height) > 1) extents = false;
      if (!(width > 0 && height > 0)) continue;
      const image = normal(fields[columnAt(header, "image")]);
      const known = sizes.get(image);
      if (known && (known.width !== width || known.height !== height)) return undefined;
      sizes.set(image, { width, height });
    }
    if (!extents && sizes.size > 0) return sizes;
  }
  return undefined;
}
