/**
 * Opens the file of a ledger.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { messageOf, UsageError } from "../base/errors.ts";
import { flag } from "../base/flag.ts";
import { isDiskFull, ledgerProblem } from "./problem.ts";
import { inspectFile, prepareTables, refuseOtherKinds, removeFiles } from "./file.ts";

/** How a ledger is opened. */
export interface LedgerOptions {
  /** Delete the ledger that is there first. */
  readonly fresh?: boolean;
  /** Refuse to make one. */
  readonly mustExist?: boolean;
  /** How long to wait for another process that writes, in milliseconds; 10 seconds by default. */
  readonly patience?: number;
}

/**
 * Opens a ledger's database, making the file if there is none (its folder must exist).
 *
 * @throws {UsageError} when the file is something else, is of another version, or cannot be opened.
 */
export function openDatabase(path: string, options: LedgerOptions): DatabaseSync {
  const found = path === ":memory:" ? "nothing" : inspectFile(path);
  refuseOtherKinds(path, found);
  if (options.mustExist && found === "nothing") {
    throw new UsageError(`Cannot open the ledger ${path}: there is none; run analyze first`);
  }
  if (options.fresh && found === "a ledger") removeFiles(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, {
      timeout: options.patience ?? 10_000,
      enableForeignKeyConstraints: true,
    });
    prepareTables(database, path);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof UsageError) throw error;
    if (isDiskFull(error)) throw ledgerProblem(error, path);
    throw new UsageError(
      `Cannot open the ledger ${path}: ${messageOf(error)}; use ${flag("fresh")} or another ${
        flag("out")
      }`,
      { cause: error },
    );
  }
}
