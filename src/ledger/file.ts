/**
 * The ledger as a file: telling what lies at a path, making the tables, deleting. Opens no database itself.
 *
 * @module
 */

import { messageOf, UsageError } from "../base/errors.ts";
import type { Database } from "./rows.ts";
import { LEDGER_APPLICATION, LEDGER_SCHEMA, LEDGER_VERSION } from "./schema.ts";
import { flag } from "../base/flag.ts";

/** What lies at a path, from the file's header alone: opening a foreign SQLite file could change it. @throws {UsageError} */
export function inspectFile(path: string): "nothing" | "a ledger" | "something else" {
  const header = new Uint8Array(100);
  let length = 0;
  try {
    using file = Deno.openSync(path);
    length = file.readSync(header) ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "nothing";
    throw new UsageError(`Cannot open the ledger ${path}: ${messageOf(error)}`, { cause: error });
  }
  if (length === 0) return "nothing"; // a process killed while it made the ledger leaves an empty file
  const sqlite = new TextDecoder("latin1").decode(header.subarray(0, 16)) === "SQLite format 3\0";
  const application = new DataView(header.buffer).getUint32(68);
  return sqlite && application === LEDGER_APPLICATION ? "a ledger" : "something else";
}

/** @throws {UsageError} when what is at a path is something else than a ledger. */
export function refuseOtherKinds(path: string, found: ReturnType<typeof inspectFile>): void {
  if (found !== "something else") return;
  throw new UsageError(
    `Cannot use ${path} as a ledger: it is another kind of file; choose another ${flag("out")}`,
  );
}

/** Deletes a ledger with the files SQLite keeps beside it. */
export function removeFiles(path: string): void {
  // The journal first: a write-ahead log left over would be replayed into the next file of this name.
  for (const suffix of ["-wal", "-shm", "-journal", ""]) {
    try {
      Deno.removeSync(path + suffix);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/**
 * Makes the tables of a new file, or checks the version of an old one; then sets how it is written.
 *
 * @throws {UsageError} when the ledger is of another version, or has other tables, views or triggers than ours.
 */
export function prepareTables(database: Database, path: string): void {
  // A ledger can come from elsewhere: what its schema says is not trusted, and pages are checked before they are used.
  // Each statement by itself: of several at once, errors come without their codes.
  const run = (sql: string) => database.prepare(sql).run();
  run("PRAGMA trusted_schema = OFF");
  run("PRAGMA cell_size_check = ON");
  const version = () =>
    (database.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
  const tables = () =>
    (database.prepare("SELECT count(*) AS n FROM sqlite_schema").get() as { n: number }).n;
  // Before WAL is switched on, so that the header on disk says what the file is from its first moment.
  if (tables() === 0) {
    // What is deleted later can be given back to the file system page by page; VACUUM needs permissions that programs should not have.
    run("PRAGMA auto_vacuum = INCREMENTAL");
    run("BEGIN IMMEDIATE");
    if (tables() === 0) { // no other process was faster
      for (const sql of STATEMENTS) run(sql);
      run(`PRAGMA application_id = ${LEDGER_APPLICATION}`);
      run(`PRAGMA user_version = ${LEDGER_VERSION}`);
    }
    run("COMMIT");
  }
  if (version() !== LEDGER_VERSION) {
    throw new UsageError(
      `Cannot use the ledger ${path}: its format is version ${version()}, not ${LEDGER_VERSION}; ` +
        `use ${flag("fresh")} to start over or another ${flag("out")}`,
    );
  }
  refuseOtherTables(database, path);
  // NORMAL: a killed process loses nothing that was committed; only a power failure may lose the last commits, never the file.
  // 16 MiB of pages: with four times as many, neither writing nor reading of 64,000 images is faster, and the memory of a run
  // grows until they are full.
  run("PRAGMA journal_mode = WAL");
  run("PRAGMA synchronous = NORMAL");
  run("PRAGMA cache_size = -16384");
}

const STATEMENTS = LEDGER_SCHEMA.split(";").map((text) => text.trim()).filter(Boolean);
const OWN_TABLES = new Set(STATEMENTS.map(bare));

/** A statement without its comments, which differ between versions that read each other's ledgers. */
function bare(sql: string): string {
  return sql.replaceAll(/--.*$/gm, "").replaceAll(/\s+/g, " ").trim();
}

/** A trigger or view in a ledger from elsewhere would change what our queries do. @throws {UsageError} */
function refuseOtherTables(database: Database, path: string): void {
  const found = database.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    .all() as { name: string; sql: string }[];
  const foreign = found.find(({ sql }) => !OWN_TABLES.has(bare(sql)));
  if (!foreign && found.length === OWN_TABLES.size) return;
  throw new UsageError(
    `Cannot use the ledger ${path}: ${
      foreign ? `${JSON.stringify(foreign.name)} in it is not emocam's` : "tables are missing"
    }; use ${flag("fresh")} to start over or another ${flag("out")}`,
  );
}
