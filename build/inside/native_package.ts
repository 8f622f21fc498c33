/**
 * Native libraries out of the binary. The system loads libraries from files only, so those of a package are unpacked, once, to a
 * folder in the user's cache whose name tells their content, and loaded from there.
 *
 * @module
 */

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../src/base/errors.ts";
import { type ArchiveList, LIST } from "./archive.ts";
import { PACKED, readPacked, ROOT } from "./packed.ts";

/** What an older emocam has unpacked and nothing has used for so long is removed. */
const KEPT_FOR_DAYS = 30;
/** What a killed process leaves half unpacked is removed after this time. */
const ABANDONED_AFTER_DAYS = 1;
const DAY = 24 * 60 * 60 * 1000;

/**
 * Loads the library of a package, so that the package finds it loaded when it asks for it.
 *
 * @throws {Error} when the binary holds none for this platform, or when it can neither be unpacked to the cache nor to the
 * folder for temporary files.
 */
export function provideLibrary(name: string): void {
  const list = readList(name);
  const require = createRequire(import.meta.url);
  const place = fileURLToPath(new URL(list.place, ROOT));
  const failures: string[] = [];
  for (const open of [openCached, openTemporary]) {
    try {
      const addon = join(open(name, list), list.addon);
      require(addon);
      require.cache[place] = require.cache[addon];
      return;
    } catch (error) {
      failures.push(messageOf(error).split("\n")[0]!);
    }
  }
  throw new Error(
    `Cannot unpack the library of ${name}: ${[...new Set(failures)].join("; ")}; ` +
      "set XDG_CACHE_HOME, or TMPDIR, to a folder that can be written and run from",
  );
}

function readList(name: string): ArchiveList {
  try {
    return JSON.parse(Deno.readTextFileSync(new URL(`${name}/${LIST}`, PACKED)));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`Cannot load ${name}: there is none for ${Deno.build.target} in this program`);
  }
}

/** The package's folder in the cache; unpacked to it if it is not there yet. */
function openCached(name: string, list: ArchiveList): string {
  const cache = cacheFolder();
  if (cache === undefined) throw new Error("the environment names no folder for caches");
  const parent = join(cache, "emocam", "native");
  const folder = join(parent, list.key);
  Deno.mkdirSync(parent, { recursive: true, mode: 0o700 });
  refuseForeign(parent);
  if (isWhole(folder, list)) {
    markUsed(folder);
    return folder;
  }
  const fresh = join(parent, `.${list.key}.${crypto.randomUUID()}`);
  try {
    unpack(name, list, fresh);
    moveIntoPlace(fresh, folder, list);
  } catch (error) {
    removeQuietly(fresh);
    throw error;
  }
  removeOld(parent, name, list);
  return folder;
}

/** Unpacks to a folder of this process, which goes when it ends. */
function openTemporary(name: string, list: ArchiveList): string {
  const folder = Deno.makeTempDirSync({ prefix: "emocam-native-" });
  // Windows keeps libraries that are loaded; the system's own cleaning finds the folder there.
  globalThis.addEventListener("unload", () => removeQuietly(folder));
  unpack(name, list, folder);
  return folder;
}

function unpack(name: string, { files }: ArchiveList, folder: string): void {
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const { path, bytes, stored } of files) {
    const content = readPacked(`${name}/${stored}`);
    if (content.length !== bytes) throw new Error(`${path} is damaged in this program`);
    const target = join(folder, path);
    Deno.mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    Deno.writeFileSync(target, content, { mode: 0o600 });
  }
}

/** Renames a whole folder to the name by which others look for it. Of two processes that do so at once, one uses the other's. */
function moveIntoPlace(fresh: string, folder: string, list: ArchiveList): void {
  try {
    Deno.renameSync(fresh, folder);
  } catch (error) {
    if (isWhole(folder, list)) {
      removeQuietly(fresh);
      return;
    }
    if (!exists(folder)) throw error;
    // Files are missing from it, or cut: something has cleaned the cache, or its disk was full.
    const damaged = `${fresh}.damaged`;
    Deno.renameSync(folder, damaged);
    Deno.renameSync(fresh, folder);
    removeQuietly(damaged);
  }
}

/** Whether every file is there with its size. */
function isWhole(folder: string, { files }: ArchiveList): boolean {
  try {
    return files.every(({ path, bytes }) => Deno.lstatSync(join(folder, path)).size === bytes);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A folder that others than the user and root can write to could hold a library of theirs. @throws {Error} */
function refuseForeign(folder: string): void {
  if (Deno.build.os === "windows") return;
  const { uid, mode } = Deno.statSync(folder);
  if ((uid !== Deno.uid() && uid !== 0) || ((mode ?? 0) & 0o022) !== 0) {
    throw new Error(`${folder} belongs to, or can be written by, other users`);
  }
}

/** The folder's time says when it was last used. */
function markUsed(folder: string): void {
  try {
    const now = new Date();
    Deno.utimeSync(folder, now, now);
  } catch {
    // A cache that has become read-only still serves.
  }
}

/** Removes what has not been used for long: other versions of the package, and what was left half unpacked. */
function removeOld(parent: string, name: string, { key }: ArchiveList): void {
  for (const entry of Deno.readDirSync(parent)) {
    const left = entry.name.startsWith(".");
    if (entry.name === key || !(left || entry.name.startsWith(`${name}-`))) continue;
    const path = join(parent, entry.name);
    const days = left ? ABANDONED_AFTER_DAYS : KEPT_FOR_DAYS;
    try {
      const { mtime } = Deno.lstatSync(path);
      if (mtime && Date.now() - mtime.getTime() > days * DAY) {
        Deno.removeSync(path, { recursive: true });
      }
    } catch {
      // Another process is removing it, or holds it open on Windows.
    }
  }
}

function removeQuietly(folder: string): void {
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch {
    // It may not have come into being, and what is left is found by a later start.
  }
}

/** The platform's folder for a user's caches. */
function cacheFolder(): string | undefined {
  const home = Deno.env.get("HOME");
  switch (Deno.build.os) {
    case "windows":
      return Deno.env.get("LOCALAPPDATA");
    case "darwin":
      return home && join(home, "Library", "Caches");
    default:
      return Deno.env.get("XDG_CACHE_HOME") || (home && join(home, ".cache"));
  }
}
