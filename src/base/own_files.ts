/**
 * Telling emocam's own files from its users'.
 *
 * @module
 */

import { dirname, join, relative } from "node:path";
import { entryAt, OwnedFolder, RECORD_FILE } from "./owned_folder.ts";
import { isStamped } from "./png_stamp.ts";

/** Tells which files emocam wrote, so that no picture of its results is taken for one of a corpus. */
export class OwnFiles {
  readonly #folders = new Map<string, OwnedFolder | undefined>();

  /**
   * Whether a file is one of ours, as it was written: a PNG that is marked, or a file on the record of the folder it is in or of the two above.
   */
  has(path: string): boolean {
    if (/\.png$/i.test(path) && isStamped(path)) return true;
    let folder = dirname(path);
    for (let level = 0; level < 3; level++) {
      const own = this.#at(folder);
      if (own?.find(relative(folder, path).replaceAll("\\", "/")) === "ours") return true;
      if (dirname(folder) === folder) return false;
      folder = dirname(folder);
    }
    return false;
  }

  #at(folder: string): OwnedFolder | undefined {
    if (!this.#folders.has(folder)) {
      this.#folders.set(folder, openIfAllowed(folder));
    }
    return this.#folders.get(folder);
  }
}

/** A folder with a record; `undefined` where there is none, or where we may not look: folders above what we were given to read. */
function openIfAllowed(folder: string): OwnedFolder | undefined {
  try {
    return entryAt(join(folder, RECORD_FILE))?.isFile ? new OwnedFolder(folder) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}
