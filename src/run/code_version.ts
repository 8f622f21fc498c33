/**
 * Which state of the sources is running.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * The commit that a checkout is at, read from its `.git` without running git. Changes that are not committed cannot be told
 * this way.
 *
 * @param root folder of the checkout; by default that of the running sources
 * @returns 40 or 64 hexadecimal digits; undefined if no commit can be read (a package, a binary, an empty repository).
 */
export async function codeCommit(root: string = ROOT): Promise<string | undefined> {
  try {
    const folder = await gitFolder(join(root, ".git"));
    const head = await text(join(folder, "HEAD"));
    const [, name] = /^ref: (refs\/[\w./-]+)$/.exec(head) ?? [];
    if (name === undefined) return commit(head);
    // A separate work tree shares the branches of the main one.
    const common = await text(join(folder, "commondir")).catch(() => ".");
    for (const place of [folder, resolve(folder, common)]) {
      const own = await text(join(place, name)).catch(() => "");
      if (own) return commit(own);
      const packed = await text(join(place, "packed-refs")).catch(() => "");
      const line = packed.split("\n").find((entry) => entry.endsWith(` ${name}`));
      if (line) return commit(line.split(" ")[0]);
    }
  } catch {
    // No checkout, or one that may not be read: the version of emocam says what can be said.
  }
  return undefined;
}

/** `.git` itself, or the folder that a file of this name points to. */
async function gitFolder(path: string): Promise<string> {
  if ((await Deno.stat(path)).isDirectory) return path;
  const [, folder] = /^gitdir: (.+)$/.exec(await text(path)) ?? [];
  return resolve(path, "..", folder ?? "");
}

async function text(path: string): Promise<string> {
  return (await Deno.readTextFile(path)).trim();
}

function commit(found: string): string | undefined {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(found) ? found : undefined;
}
