/**
 * Packs native libraries for the binary, see `inside/archive.ts`.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { sha256 } from "../src/base/json.ts";
import { type ArchivedFile, type ArchiveList, LIST } from "./inside/archive.ts";
import { packageFolder, packFile } from "./packages.ts";
import type { NativePackage, Target } from "./targets.ts";
import { walk } from "./walk.ts";

/**
 * Packs the library of a package, and puts an empty file where the package looks for it.
 *
 * @param root folder with a `node_modules` that holds the package
 * @param folder for the packed files and their list
 * @returns bytes of the packed files
 * @throws {Error} when a package is not there, or has no addon for the target.
 */
export async function packLibrary(
  { name, packages, files }: NativePackage,
  target: Target,
  root: string,
  folder: string,
): Promise<number> {
  await Deno.mkdir(folder, { recursive: true });
  const hash = createHash("sha256");
  const list: ArchivedFile[] = [];
  let size = 0, addon: string | undefined, place: string | undefined;
  for (const part of packages) {
    const source = await packageFolder(root, part);
    for await (const inside of walk(join(root, source))) {
      const path = `node_modules/${part}/${inside}`;
      if (!files.test(path)) continue;
      const content = await Deno.readFile(join(root, source, inside));
      hash.update(`${path}\0${sha256(content)}\n`);
      const stored = String(list.length);
      list.push({ path, bytes: content.length, stored });
      size += await packFile(content, join(folder, stored));
      if (path.endsWith(".node")) [addon, place] = [path, `${source}/${inside}`];
    }
  }
  if (addon === undefined || place === undefined) {
    throw new Error(`Cannot pack ${name}: it has no library for ${target.triple}`);
  }
  const { version } = JSON.parse(
    await Deno.readTextFile(join(root, await packageFolder(root, name), "package.json")),
  );
  const key = `${name}-${version}-${target.os}-${target.arch}-${hash.digest("hex").slice(0, 16)}`;
  const content: ArchiveList = { key, files: list, addon, place };
  await Deno.writeTextFile(join(folder, LIST), JSON.stringify(content));
  // A new file: what is there now may be a hard link to Deno's own cache.
  await Deno.remove(join(root, place));
  await Deno.writeFile(join(root, place), new Uint8Array());
  return size;
}
