/**
 * The one form of CSV that emocam writes.
 *
 * @module
 */

import { stringify } from "csv-stringify/sync";

/** A field. NaN is written `NaN`, an absent value as nothing; numbers as the shortest decimals that read back the same. */
export type Field = string | number | undefined;

/**
 * Rows as CSV text (RFC 4180 with line feeds): fields with a comma, a quote or a line end are quoted. Equal rows give equal text.
 */
export function csvText(rows: readonly (readonly Field[])[]): string {
  return stringify(rows as Field[][]);
}
