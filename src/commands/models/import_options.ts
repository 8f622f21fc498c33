/**
 * Options of `models import`.
 *
 * @module
 */

/** Options that all importers share. */
export interface ImportOptions {
  readonly name?: string;
  readonly into?: string;
}
