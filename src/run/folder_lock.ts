/**
 * One process at a time in a folder.
 *
 * @module
 */

import { hostname } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { messageOf, UsageError } from "../base/errors.ts";

/** Name of the file in the folder. */
export const LOCK_FILE = ".emocam.lock";

/** Who holds a lock. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** When it took the lock, ISO 8601, UTC. */
  readonly started: string;
  /** What it does there. */
  readonly work: string;
}

/** A folder cannot be locked, by anyone: its file system knows no locks, or it cannot be written to. */
export class NoLockError extends UsageError {}

/** A lock that is held until it is disposed of, or its process ends. */
export interface FolderLock extends Disposable {
  /** The holder that ended without giving the lock back, if there was one. */
  readonly broken?: LockHolder;
}

/**
 * Takes the lock of a folder. The operating system holds it for an open file, so it is free as soon as its holder ends, however it
 * ends, and no process id is ever taken for another's. The file's text says whose it is; it is empty while no process holds it, and a text
 * in a lock that is free was left by a holder that was killed.
 *
 * On a network file system without locks between machines only processes of one machine are kept apart.
 *
 * @param folder which exists
 * @param work what is done there, for others to read
 * @throws {UsageError} naming the holder, when the lock is held.
 * @throws {NoLockError} when the folder cannot be locked or written to.
 */
export function lockFolder(folder: string, work: string): FolderLock {
  const path = join(folder, LOCK_FILE);
  let file: Deno.FsFile | undefined;
  try {
    refuseLink(path);
    file = Deno.openSync(path, { read: true, write: true, create: true });
    if (!file.tryLockSync(true)) {
      const holder = readHolder(file);
      throw new UsageError(
        `Cannot write to ${folder}: ${
          holder ? holderText(holder) : "another process"
        } is using it; wait until it has finished, or choose another folder`,
      );
    }
    const broken = readHolder(file);
    const own: LockHolder = {
      pid: process.pid,
      host: hostname(),
      started: new Date().toISOString(),
      work,
    };
    writeText(file, JSON.stringify(own) + "\n");
    const held = file;
    return {
      ...(broken ? { broken } : {}),
      [Symbol.dispose]() {
        // Emptied, not deleted: another process could already hold the file open that would be deleted.
        writeText(held, "");
        held.close();
      },
    };
  } catch (error) {
    file?.close();
    if (error instanceof UsageError) throw error;
    throw new NoLockError(
      `Cannot lock ${folder}: ${messageOf(error)}; give a folder that can be written to`,
    );
  }
}

/** A holder in words. */
export function holderText({ pid, host, started, work }: LockHolder): string {
  return `process ${pid} on ${host} (${work}, since ${started})`;
}

/** Removes the lock of a folder in which no process works any more, if it is one. */
export function removeLock(folder: string): void {
  const path = join(folder, LOCK_FILE);
  try {
    {
      using file = Deno.openSync(path);
      if (!isLock(file)) return;
    }
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
  }
}

/** A link leads to a file of someone else's. @throws {UsageError} */
function refuseLink(path: string): void {
  try {
    if (!Deno.lstatSync(path).isSymlink) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new UsageError(
    `Cannot lock ${dirname(path)}: ${LOCK_FILE} is a link; remove it, or give another folder`,
  );
}

/** Whether a file is empty or begins as what a holder writes, which a killed one may have cut off. */
function isLock(file: Deno.FsFile): boolean {
  const start = new TextEncoder().encode('{"pid":');
  const bytes = new Uint8Array(start.length);
  file.seekSync(0, Deno.SeekMode.Start);
  const length = file.readSync(bytes) ?? 0;
  return bytes.subarray(0, length).every((byte, i) => byte === start[i]);
}

/** What the file says; nothing where it is empty, half written or not ours. */
function readHolder(file: Deno.FsFile): LockHolder | undefined {
  try {
    const bytes = new Uint8Array(4096);
    file.seekSync(0, Deno.SeekMode.Start);
    const length = file.readSync(bytes) ?? 0;
    const holder = JSON.parse(new TextDecoder().decode(bytes.subarray(0, length)));
    return typeof holder?.pid === "number" ? holder : undefined;
  } catch {
    return undefined;
  }
}

function writeText(file: Deno.FsFile, text: string): void {
  file.truncateSync(0);
  file.seekSync(0, Deno.SeekMode.Start);
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(file.writeSync(bytes));
}
