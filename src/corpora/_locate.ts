/**
 * Finding the file that a table means by a path: written on Windows, or in the other Unicode form.
 *
 * @module
 */

import { dirname, isAbsolute, join } from "node:path";
import { pathFrom, statOf } from "../base/files.ts";
import { slashes } from "./_paths.ts";

/** Where an image's file is, or why that cannot be said. */
export interface Place {
  readonly file: string;
  readonly refused?: string;
}

/** A path with a drive or a share, which only Windows has. */
const DRIVE = /^(?:[A-Za-z]:[\\/]|\\\\)/;

/**
 * Gives the files that a table in a folder means. A path is taken as it is written where a file has it; else with `/` for `\\`; else in whatever
 * Unicode form exactly one file has. Folders are listed once each.
 *
 * @param folder that relative paths start from
 * @param base from which the folder's path starts, instead of the working directory
 */
export function locator(folder: string, base: string | undefined) {
  const listings = new Map<string, Promise<readonly string[]>>();
  const list = (at: string) => {
    const known = listings.get(at);
    if (known) return known;
    const listing = namesIn(at);
    listings.set(at, listing);
    return listing;
  };
  return async (written: string): Promise<Place> => {
    const at = (path: string) => isAbsolute(path) ? path : join(folder, path);
    const exists = async (path: string) => (await look(pathFrom(base, path))) !== undefined;
    const exact = at(written);
    if (await exists(exact)) return { file: exact };
    if (DRIVE.test(written) && Deno.build.os !== "windows") {
      return {
        file: exact,
        refused: `Cannot read the image: ${
          JSON.stringify(written)
        } is a path on Windows; write it relative to the table`,
      };
    }
    const plain = at(slashes(written));
    if (plain !== exact && await exists(plain)) return { file: plain };
    const found = await inAnyForm(pathFrom(base, plain), list);
    if (found.length === 0) return { file: plain };
    if (found.length === 1) return { file: found[0] };
    return {
      file: plain,
      refused:
        `Cannot read the image: ${found.length} files have its name in other Unicode forms; rename all but one`,
    };
  };
}

/** What is at a path; nothing where it cannot be looked at, which the reader of the file tells. */
async function look(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await statOf(path);
  } catch {
    return undefined;
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch {
    return [];
  }
}

/** The files that have a path but for its Unicode form. */
async function inAnyForm(
  path: string,
  list: (folder: string) => Promise<readonly string[]>,
): Promise<string[]> {
  // deno-lint-ignore no-control-regex -- only paths beyond ASCII have more than one form
  if (/^[\x00-\x7f]*$/.test(path)) return [];
  if ((await look(path)) !== undefined) return [path];
  const parent = dirname(path);
  if (parent === path) return [];
  const name = path.slice(parent.length).replace(/^[\\/]/, "").normalize("NFC");
  const folders = await inAnyForm(parent, list);
  // A folder whose path is plain exists or does not.
  const parents = folders.length > 0 ? folders : [parent];
  const found: string[] = [];
  for (const folder of parents) {
    for (const own of await list(folder)) {
      if (own.normalize("NFC") === name) found.push(join(folder, own));
    }
  }
  return found;
}
