/**
 * Files under a folder.
 *
 * @module
 */

import { join } from "node:path";

/** The paths of all files under a folder, from it and with slashes, in the order of their names; links are not followed. */
export async function* walk(folder: string, prefix = ""): AsyncGenerator<string> {
  const entries = await Array.fromAsync(Deno.readDir(join(folder, prefix)));
  for (const { name, isFile, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (isDirectory) yield* walk(folder, `${prefix}${name}/`);
    else if (isFile) yield prefix + name;
  }
}
