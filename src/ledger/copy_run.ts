/**
 * A run copied out of a ledger that runs share, so that its folder holds all that is read of it: in the shared one, a later run may bring
 * other pictures of the same names, and old results may be pruned.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { prepareTables, removeFiles } from "./file.ts";
import type { Database, SqlValue } from "./rows.ts";

/** The contents of a run's images. */
const CONTENTS = `SELECT i.content FROM run_image r JOIN image i ON i.id = r.image
  WHERE r.run = :run AND i.content IS NOT NULL`;
const OF_CONTENT = `stage IN (SELECT value FROM json_each(:stages)) AND content IN (${CONTENTS})`;
const SAMPLES = `SELECT id FROM sample WHERE ${OF_CONTENT}`;
const OF_SAMPLE = `stage IN (SELECT value FROM json_each(:stages)) AND sample IN (${SAMPLES})`;

/**
 * What is copied, in an order in which each row finds those that it refers to. Activations are not: nothing that is made of a finished run needs
 * them, and they are the largest part of a ledger.
 */
const PARTS: readonly (readonly [table: string, where: string])[] = [
  ["stage", "id IN (SELECT value FROM json_each(:stages))"],
  ["run", "id = :run"],
  ["content", `id IN (${CONTENTS})`],
  ["image", "id IN (SELECT image FROM run_image WHERE run = :run)"],
  ["run_image", "run = :run"],
  ["detection", OF_CONTENT],
  ["box", OF_CONTENT],
  ["sampling", OF_CONTENT],
  ["sample", OF_CONTENT],
  ["prediction", OF_SAMPLE],
  ["map", OF_SAMPLE],
  ["scoring", OF_SAMPLE],
  ["score", OF_SAMPLE],
];

/**
 * Writes a ledger that holds one run. It appears under its name when it is whole.
 *
 * The rows go through this process (SQLite's ATTACH needs permissions that programs should not have), one at a time.
 *
 * @param stages ids of the run's stages
 */
export function copyRun(
  source: Database,
  run: number,
  stages: readonly number[],
  path: string,
): void {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  const database = new DatabaseSync(temporary, { enableForeignKeyConstraints: true });
  try {
    prepareTables(database, temporary);
    database.prepare("BEGIN").run();
    for (const [table, where] of PARTS) {
      const values = {
        ...(where.includes(":run") ? { run } : {}),
        ...(where.includes(":stages") ? { stages: JSON.stringify(stages) } : {}),
      };
      copyRows(source, database, table, where, values);
    }
    database.prepare("COMMIT").run();
    // One file: a write-ahead log beside it would be left over by the renaming.
    database.prepare("PRAGMA journal_mode = DELETE").run();
    database.close();
    removeFiles(path);
    Deno.renameSync(temporary, path);
  } catch (error) {
    if (database.isOpen) database.close();
    removeFiles(temporary);
    throw error;
  }
}

function copyRows(
  source: Database,
  target: Database,
  table: string,
  where: string,
  values: Record<string, SqlValue>,
): void {
  let insert: ReturnType<Database["prepare"]> | undefined;
  for (const row of source.prepare(`SELECT * FROM ${table} WHERE ${where}`).iterate(values)) {
    const columns = Object.entries(row as Record<string, SqlValue>);
    insert ??= target.prepare(
      `INSERT INTO ${table} (${columns.map(([name]) => name).join(", ")})
       VALUES (${columns.map(() => "?").join(", ")})`,
    );
    insert.run(...columns.map(([, value]) => value));
  }
}
