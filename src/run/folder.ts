/**
 * Folders that a command writes to.
 *
 * @module
 */

import { messageOf, UsageError } from "../base/errors.ts";
import { type FolderLock, holderText, lockFolder, NoLockError } from "./folder_lock.ts";
import { legible } from "../base/legible.ts";

/**
 * Makes a folder and tries to write there, so that a run does not find out at its end.
 *
 * @param option that names it, for the message
 * @throws {UsageError} when it cannot be made or written to.
 */
export async function prepareFolder(option: string, folder: string): Promise<void> {
  if (folder.trim() === "") {
    throw new UsageError(`Cannot write to ${option} ""; give the path of a folder`);
  }
  try {
    await Deno.mkdir(folder, { recursive: true });
    const probe = await Deno.makeTempFile({ dir: folder, suffix: ".tmp" });
    await Deno.remove(probe);
  } catch (error) {
    throw new UsageError(
      `Cannot write to ${option} ${JSON.stringify(folder)}: ${
        messageOf(error)
      }; choose another folder`,
    );
  }
}

/** A folder that is one process's until it is disposed of. */
export interface TakenFolder extends Disposable {
  /** Lines that a user should see. */
  readonly remarks: readonly string[];
}

/**
 * Takes a folder for one process, if its file system has locks: on one without locks a remark is all.
 *
 * @throws {UsageError} naming the holder, when another process works there.
 */
export function takeFolder(folder: string, work: string): TakenFolder {
  try {
    const lock = lockFolder(folder, work);
    return { remarks: brokenLock(lock), [Symbol.dispose]: () => lock[Symbol.dispose]() };
  } catch (error) {
    if (!(error instanceof NoLockError)) throw error;
    const remark = `note: ${folder} cannot be locked: let only one process at a time use it`;
    return { remarks: [remark], [Symbol.dispose]() {} };
  }
}

/** That a lock was left by a process that was killed, where it was: a line that a user should see. */
export function brokenLock({ broken }: FolderLock): readonly string[] {
  if (!broken) return [];
  const holder = legible(holderText(broken));
  return [`took over the lock of ${holder}, which ended without releasing it`];
}
