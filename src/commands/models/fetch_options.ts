/**
 * Options of models fetch.
 *
 * @module
 */

/** Options of `models fetch`. */
export interface FetchOptions {
  readonly into?: string;
  readonly mirror?: string;
  readonly retries: number;
}
