/**
 * What a corpus's list of addresses says of one image.
 *
 * @module
 */

/** An image and where it was found, the likeliest address first. */
export interface ImageAddresses {
  /** Its path in the corpus. */
  readonly path: string;
  /** At least one, each once. */
  readonly urls: readonly string[];
}
