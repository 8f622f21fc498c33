/**
 * What the database says when it cannot go on, as what a user can do about it.
 *
 * Source: https://www.sqlite.org/rescode.html
 *
 * @module
 */

import { flag } from "../base/flag.ts";
import { DiskFullError, messageOf, UsageError } from "../base/errors.ts";

/** Primary result codes: the lowest byte of a code. */
const BUSY = 5, READ_ONLY = 8, IO = 10, CORRUPT = 11, FULL = 13, NOT_A_DATABASE = 26;

/** The primary result code of an error of SQLite; nothing for any other error. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as Error & { code?: unknown; errcode?: unknown };
  return code === "ERR_SQLITE_ERROR" && typeof errcode === "number" ? errcode & 0xff : undefined;
}

/** Whether SQLite found no room. */
export function isDiskFull(error: unknown): boolean {
  return codeOf(error) === FULL;
}

/** Whether another process has the file. */
export function isBusy(error: unknown): boolean {
  return codeOf(error) === BUSY;
}

/** An error of SQLite in words that say what to do; any other error as it is. */
export function ledgerProblem(error: unknown, path: string): unknown {
  const code = codeOf(error);
  const usage = (what: string, advice: string) =>
    new UsageError(`Cannot ${what} the ledger ${path}: ${messageOf(error)}; ${advice}`, {
      cause: error,
    });
  switch (code) {
    case undefined:
      return error;
    case FULL:
      return new DiskFullError(path, { cause: error });
    case CORRUPT:
    case NOT_A_DATABASE:
      return new UsageError(
        `Cannot use the ledger ${path}: it is damaged (${
          messageOf(error)
        }); move it away and give the analyze command again, which computes anew what it held`,
        { cause: error },
      );
    case BUSY:
      return new UsageError(
        `Cannot write the ledger: ${messageOf(error)}; wait for the other process to end`,
        { cause: error },
      );
    case READ_ONLY:
      return usage("write", "make the file and its folder writable, or give another folder");
    case IO:
      return usage("use", "the disk or the network drive fails or is full: check it, then repeat");
    default:
      return usage(
        "use",
        `give the command again, with ${flag("fresh")} to compute everything anew`,
      );
  }
}
