/**
 * Sizes of pictures that EXIF turns: a ledger keeps them as stored in the file, for runs that turn pictures upright and runs that do not
 * share it.
 *
 * @module
 */

import type { Orientation } from "../image/image.ts";

interface Turnable {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** EXIF orientation, 1–8. */
  readonly orientation?: number | undefined;
}

/** From a picture's size as a run sees it to that as stored, and back: sides are swapped where the run turns it by a quarter. */
export function turned<Row extends Turnable>(row: Row, rule: Orientation): Row {
  return rule === "exif" && (row.orientation ?? 1) >= 5
    ? { ...row, width: row.height, height: row.width }
    : row;
}
