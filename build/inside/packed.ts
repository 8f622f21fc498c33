/**
 * Large files inside the binary, compressed by gzip: a start reads the whole binary, so that its size costs time even where they are
 * not used.
 *
 * @module
 */

import { gunzipSync } from "node:zlib";

/** The program's root inside the binary. */
export const ROOT = new URL("../../", import.meta.url);

/** Where the script that compiles puts them. */
export const PACKED = new URL("packed/", ROOT);

/** The content of a packed file, by its path from the folder of packed files, without `.gz`. */
export function readPacked(path: string): Uint8Array {
  return gunzipSync(Deno.readFileSync(new URL(`${path}.gz`, PACKED)));
}
