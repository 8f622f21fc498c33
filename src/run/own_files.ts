/**
 * Before any work: whether all that a command will write goes to places where nothing of its user's is.
 *
 * @module
 */

import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { messageOf, UsageError } from "../base/errors.ts";
import { statOf } from "../base/files.ts";
import { legible } from "../base/legible.ts";
import { OwnedFolder, RECORD_FILE } from "../base/owned_folder.ts";
import { MANIFEST_FILE } from "../ledger/manifest.ts";
import { inspectFile, refuseOtherKinds, removeFiles } from "../ledger/file.ts";
import { OUTPUTS, STATISTICS_OUTPUTS } from "../outputs/mod.ts";
import { adoptEarlier } from "./earlier_run.ts";
import { LOCK_FILE, removeLock } from "./folder_lock.ts";
import { LEDGER_FILE, RUN_LEDGER_FILE } from "./shared_cache.ts";

/** Most files that a message names. */
const NAMED = 4;

/** What a command will write into a folder. */
interface Writing {
  /** The option that names the folder, for messages. */
  readonly option: string;
  /** Which files it could write, by their paths in the folder. */
  readonly writes: (name: string) => boolean;
  /** Sub-folders that it could write to. */
  readonly folders?: readonly string[];
  /** Files that it reads. */
  readonly inputs?: readonly string[];
}

/**
 * Opens a folder with its record, where nothing in it is in the way.
 *
 * @throws {UsageError} when a file that would be written is an input, or there is one of its name that emocam did not write or that was changed
 *   since; and when a folder is where a file would be, or a file where a folder.
 */
export async function ownFolder(folder: string, writing: Writing): Promise<OwnedFolder> {
  const owned = openRecord(folder, writing.option);
  await adoptEarlier(owned);
  const { option, writes, folders = [], inputs = [] } = writing;
  const refuse = (names: readonly string[], are: string, then: string) => {
    const named = names.slice(0, NAMED).map(legible).join(", ");
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
    throw new UsageError(
      `Cannot write to ${option} ${JSON.stringify(folder)}: ${named}${more} ${are}; ${then}`,
    );
  };
  const taken = await inputsIn(folder, inputs, (name) => writes(name) || isRecorded(owned, name));
  if (taken.length > 0) {
    refuse(
      taken,
      taken.length === 1 ? "is an input of this command" : "are inputs of this command",
      "give another folder",
    );
  }
  const foreign: string[] = [];
  for await (const { name, isFolder } of entriesOf(folder, folders)) {
    if (isFolder ? writes(name) : folders.includes(name)) foreign.push(name);
    else if (!isFolder && writes(name) && owned.find(name) === "foreign") foreign.push(name);
  }
  if (foreign.length > 0) {
    refuse(
      foreign.sort(),
      foreign.length === 1
        ? "was not written by emocam, or was changed since"
        : "were not written by emocam, or were changed since",
      foreign.length === 1
        ? "move it away, or give another folder"
        : "move them away, or give another folder",
    );
  }
  return owned;
}

/**
 * Removes a run with its ledger, and its folder if nothing else is in it. Files that emocam did not write stay, and so do those that were
 * changed since. No process may work there.
 */
export async function removeRun(folder: string): Promise<void> {
  const owned = new OwnedFolder(folder);
  await adoptEarlier(owned);
  for (const name of [LEDGER_FILE, RUN_LEDGER_FILE]) {
    const path = join(folder, name);
    if (inspectFile(path) === "a ledger") removeFiles(path);
  }
  removeLock(folder);
  owned.removeAll();
}

/** @throws {UsageError} when the folder may not be looked into. */
function openRecord(folder: string, option: string): OwnedFolder {
  try {
    return new OwnedFolder(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw new UsageError(
      `Cannot write to ${option} ${JSON.stringify(folder)}: ${
        messageOf(error)
      }; choose another folder`,
    );
  }
}

/** The sub-folders that runs write to. */
export const OUTPUT_FOLDERS: readonly string[] = [...OUTPUTS, ...STATISTICS_OUTPUTS]
  .filter(({ folder }) => folder).map(({ file }) => file);

/** Refuses a file of another program where a run would put its ledger. @throws {UsageError} */
export async function refuseForeignLedger(folder: string, file: string): Promise<void> {
  const path = join(folder, file);
  if (await statOf(path).catch(() => undefined)) refuseOtherKinds(path, inspectFile(path));
}

/** A file in which a run keeps what it knows, or that it wrote before. */
function isRecorded(owned: OwnedFolder, name: string): boolean {
  return [MANIFEST_FILE, LEDGER_FILE, RUN_LEDGER_FILE, LOCK_FILE, RECORD_FILE].includes(name) ||
    owned.find(name) === "ours";
}

/** The inputs that are files in a folder for which a name counts, links followed. */
export async function inputsIn(
  folder: string,
  inputs: readonly string[],
  counts: (name: string) => boolean,
): Promise<string[]> {
  const root = await Deno.realPath(folder).catch(() => undefined);
  if (root === undefined) return [];
  const parents = new Map<string, Promise<string>>();
  const parentOf = (path: string) => {
    const parent = dirname(resolve(path));
    const known = parents.get(parent) ?? Deno.realPath(parent).catch(() => parent);
    parents.set(parent, known);
    return known;
  };
  const found = new Set<string>();
  for (const input of inputs) {
    const own = join(await parentOf(input), basename(input));
    const places = own.startsWith(root + sep) ? [own] : [];
    // The file itself may be elsewhere, and what is named only a link to it.
    const info = await Deno.lstat(input).catch(() => undefined);
    if (info?.isSymlink) places.push(await Deno.realPath(input).catch(() => own));
    for (const place of places) {
      const name = relative(root, place).replaceAll("\\", "/");
      if (!name.startsWith("../") && counts(name)) found.add(name);
    }
  }
  return [...found].sort();
}

/** What is in a folder, and all that is below those of its sub-folders that are named. */
async function* entriesOf(
  folder: string,
  folders: readonly string[],
): AsyncGenerator<{ name: string; isFolder: boolean }> {
  const walk = async function* (
    below: string,
  ): AsyncGenerator<{ name: string; isFolder: boolean }> {
    let entries: Deno.DirEntry[];
    try {
      entries = await Array.fromAsync(Deno.readDir(join(folder, below)));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
        return;
      }
      throw error;
    }
    for (const entry of entries) {
      const name = below + entry.name;
      const isFolder = entry.isDirectory ||
        entry.isSymlink && ((await statOf(join(folder, name)))?.isDirectory ?? false);
      yield { name, isFolder };
      if (isFolder && (below !== "" || folders.includes(entry.name))) yield* walk(`${name}/`);
    }
  };
  yield* walk("");
}
