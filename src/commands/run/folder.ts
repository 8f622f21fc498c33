/**
 * Folders that a command writes to.
 *
 * @module
 */

import { messageOf, UsageError } from "../../base/errors.ts";
import { type FolderLock, holderText, lockFolder, NoLockError } from "../../corpus/folder_lock.ts";
import { legible } from "../../base/legible.ts";

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

/**
 * Takes a folder for one process, as far as its file system can: on one without locks a note is all.
 *
 * @throws {UsageError} naming the holder, when another process works there.
 */
export function takeFolder(folder: string, work: string): Disposable {
  let lock: FolderLock;
  try {
    lock = lockFolder(folder, work);
  } catch (error) {
    if (!(error instanceof NoLockError)) throw error;
    console.error(`note: ${folder} is not locked: let one process at a time work there`);
    return { [Symbol.dispose]() {} };
  }
  tellBroken(lock);
  return lock;
}

/** Says that a lock was left by a process that was killed. */
export function tellBroken({ broken }: FolderLock): void {
  if (!broken) return;
  console.error(
    `the lock of ${
      legible(holderText(broken))
    } is broken: that process ended without giving it back`,
  );
}
