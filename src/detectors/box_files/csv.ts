/**
 * Boxes as CSV with the header `image,label,confidence,x0,y0,x1,y1` (any order, more columns are ignored); corners in image pixels.
 *
 * @module
 */

import { columnAt, withPoint } from "../../base/csv_table.ts";
import { UsageError } from "../../base/errors.ts";
import {
  type BoxFormat,
  type BoxTableParts,
  checked,
  csvTable,
  decimal,
  normal,
  refuse,
} from "./table.ts";
import type { Box } from "../detector.ts";

const COLUMNS = ["image", "label", "confidence", "x0", "y0", "x1", "y1"] as const;

/** Our own CSV, and whatever no other format claims: it says which columns are missing. */
export const csv: BoxFormat = { title: "CSV", claims: () => true, read: readCsv };

function readCsv(text: string, origin: string): BoxTableParts {
  const { columns: header, rows, delimiter, notices } = csvTable(text, origin);
  const missing = COLUMNS.filter((column) => columnAt(header, column) < 0);
  if (missing.length) {
    throw new UsageError(
      `Cannot read boxes from ${origin}: column ${missing.join(", ")} missing in the header ${
        JSON.stringify(header.join(","))
      }; expected ${COLUMNS.join(",")}`,
    );
  }
  const images = new Map<string, Box[]>();
  for (const { line, fields } of rows) {
    const where = `line ${line}`;
    const field = (column: typeof COLUMNS[number]) => fields[columnAt(header, column)];
    const number = (column: typeof COLUMNS[number]) => {
      const value = decimal(withPoint(field(column), delimiter));
      if (!Number.isFinite(value)) {
        refuse(origin, where, `${column} is ${JSON.stringify(field(column))}, not a number`);
      }
      return value;
    };
    const image = normal(field("image"));
    if (image === "") refuse(origin, where, "the image is empty");
    const box = checked(origin, where, {
      label: field("label"),
      confidence: number("confidence"),
      x0: number("x0"),
      y0: number("y0"),
      x1: number("x1"),
      y1: number("y1"),
    });
    const boxes = images.get(image);
    if (boxes) boxes.push(box);
    else images.set(image, [box]);
  }
  return { images, notices };
}
