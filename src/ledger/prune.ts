/**
 * A ledger as a cache: what it holds, when it was last used, and giving back what is not needed. What can be dropped can be computed
 * again; the tables that a run wrote lie beside the ledger and are never touched.
 *
 * A run records the fingerprints of the stages it uses, and its images. A result is *used* by a run that has its stage and its image.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { messageOf, UsageError } from "../base/errors.ts";
import { isBusy, ledgerProblem } from "./problem.ts";
import { inspectFile, prepareTables } from "./file.ts";
import type { Statement } from "./rows.ts";

/** What is stored under one stage. */
export interface StageUse {
  readonly id: number;
  /** As registered: `predictions`, `grad-cam maps` … */
  readonly name: string;
  readonly fingerprint: string;
  /** Rows: images, samples, maps or scores. */
  readonly rows: number;
  /** Bytes of its arrays. */
  readonly bytes: number;
  /** Bytes of the activations kept beside its predictions. */
  readonly activationBytes: number;
  /** Start of the last run that used it, ISO 8601; undefined: none. */
  readonly lastUsed?: string;
}

/** What a ledger holds. */
export interface LedgerUse {
  readonly path: string;
  /** Size of the file with what SQLite keeps beside it. */
  readonly bytes: number;
  readonly runs: number;
  /** Different pictures. */
  readonly pictures: number;
  readonly lastUsed?: string;
  /** Stages that have results, by the time of their last use. */
  readonly stages: readonly StageUse[];
}

/** What to drop. */
export interface PruneOptions {
  /** What no run has used since this moment, ISO 8601. */
  readonly before?: string;
  /** As much of the rest as must go for the file to be no larger: activations first, then maps with their scores, then all. */
  readonly maxBytes?: number;
}

/** What was dropped. */
export interface Pruned {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** Rows by kind: activations, maps, scores, predictions, detections. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** Tables of results with the name they are counted under. */
const COUNTED = [
  ["activation", "activations"],
  ["map", "maps"],
  ["scoring", "scored maps"],
  ["prediction", "predictions"],
  ["detection", "detections"],
] as const;

/** Rows and bytes that hang on a stage, by the table that its results are in. */
const CONTENTS = [
  "SELECT count(*) AS n, coalesce(sum(length(faces)), 0) AS bytes FROM detection WHERE stage = ?",
  "SELECT count(*) AS n, 0 AS bytes FROM sampling WHERE stage = ?",
  `SELECT count(*) AS n, coalesce(sum(length(probabilities) + coalesce(length(logits), 0)), 0) AS bytes
   FROM prediction WHERE stage = ?`,
  "SELECT count(*) AS n, coalesce(sum(length(raw)), 0) AS bytes FROM map WHERE stage = ?",
  "SELECT count(*) AS n, 0 AS bytes FROM scoring WHERE stage = ?",
];

/**
 * Looks into a ledger without changing it.
 *
 * @throws {UsageError} when the file is not a ledger of this version.
 */
export function inspectLedger(path: string): LedgerUse {
  return withDatabase(path, { readOnly: true }, (database) => {
    const sql = (text: string) => database.prepare(text) as Statement;
    const one = (text: string) => (sql(text).get() as { n: number }).n;
    const uses = lastUses(sql);
    const contents = CONTENTS.map(sql);
    const activations = sql(
      "SELECT coalesce(sum(length(data)), 0) AS bytes FROM activation WHERE stage = ?",
    );
    const stages = stageRows(sql).map((stage): StageUse => {
      let rows = 0, bytes = 0;
      for (const statement of contents) {
        const found = statement.get(stage.id) as { n: number; bytes: number };
        rows += found.n;
        bytes += found.bytes;
      }
      const kept = activations.get(stage.id) as { bytes: number };
      const lastUsed = uses.get(stage.fingerprint);
      return {
        ...stage,
        rows,
        bytes,
        activationBytes: kept.bytes,
        ...(lastUsed ? { lastUsed } : {}),
      };
    });
    const last =
      (sql("SELECT max(started) AS last FROM run").get() as { last: string | null }).last;
    return {
      path,
      bytes: sizeOf(path),
      runs: one("SELECT count(*) AS n FROM run"),
      pictures: one("SELECT count(*) AS n FROM content"),
      ...(last ? { lastUsed: last } : {}),
      stages: stages.filter(({ rows }) => rows > 0)
        .sort((a, b) => compare(a.lastUsed ?? "", b.lastUsed ?? "") || a.id - b.id),
    };
  });
}

/**
 * Drops results and gives their space back to the file system. A run that needs them later computes them again.
 *
 * @throws {UsageError} when the file is not a ledger of this version, or another process has it open.
 */
export function pruneLedger(path: string, { before, maxBytes }: PruneOptions): Pruned {
  return withDatabase(path, { timeout: 1000 }, (database) => {
    const bytesBefore = sizeOf(path);
    // Leaving the write-ahead log needs the file for oneself: results must not go while a run counts on them.
    const mode = database.prepare("PRAGMA journal_mode = DELETE").get() as { journal_mode: string };
    if (mode.journal_mode !== "delete") throw new Error("it is in use by another process");
    const sql = (text: string) => database.prepare(text) as Statement;
    const count = (table: string) =>
      (sql(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;
    const counts = () => COUNTED.map(([table]) => count(table));
    const own = counts();
    sql("PRAGMA foreign_keys = ON").run();
    sql("BEGIN EXCLUSIVE").run();
    try {
      // Without it, every box that goes searches all scores.
      sql("CREATE INDEX score_by_box ON score (box)").run();
      if (before !== undefined) dropUnused(sql, before);
      if (maxBytes !== undefined) dropLargest(sql, maxBytes);
      dropEmptyStages(sql);
      sql("DROP INDEX score_by_box").run();
      sql("COMMIT").run();
    } catch (error) {
      // After a full disk SQLite has rolled back by itself.
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
    giveBack(database);
    const left = counts();
    return {
      bytesBefore,
      bytesAfter: sizeOf(path),
      dropped: Object.fromEntries(
        COUNTED.map(([, name], i) => [name, own[i] - left[i]] as const).filter(([, n]) => n > 0),
      ),
    };
  });
}

/** Gives free pages to the file system. In the file of an older version they stay, to be used again. */
function giveBack(database: DatabaseSync): void {
  // A row for each page: all have to be asked for.
  database.prepare("PRAGMA incremental_vacuum").all();
}

type Prepare = (text: string) => Statement;

interface StageRow {
  readonly id: number;
  readonly name: string;
  readonly fingerprint: string;
}

function stageRows(sql: Prepare): StageRow[] {
  return sql("SELECT id, name, fingerprint FROM stage ORDER BY id").all() as StageRow[];
}

/** The fingerprints that a run's manifest names as its stages. */
const FINGERPRINTS = `
  SELECT j.value AS fingerprint, r.id AS run, r.started AS started FROM run r,
    json_each(CASE WHEN json_valid(r.manifest) THEN coalesce(json_extract(r.manifest, '$.stages'), '{}')
      ELSE '{}' END) j`;

function lastUses(sql: Prepare): Map<string, string> {
  const rows = sql(`SELECT fingerprint, max(started) AS last FROM (${FINGERPRINTS}) GROUP BY 1`)
    .all() as { fingerprint: string; last: string }[];
  return new Map(rows.map(({ fingerprint, last }) => [fingerprint, last]));
}

/** Drops, stage by stage, what belongs to no image of a run that used the stage since then. */
function dropUnused(sql: Prepare, before: string): void {
  sql(`CREATE TEMP TABLE used AS
    SELECT DISTINCT s.id AS stage, i.content AS content
    FROM (${FINGERPRINTS}) f
      JOIN stage s ON s.fingerprint = f.fingerprint
      JOIN run_image ri ON ri.run = f.run
      JOIN image i ON i.id = ri.image
    WHERE f.started >= ? AND i.content IS NOT NULL`).run(before);
  sql("CREATE INDEX temp.used_by_stage ON used (stage, content)").run();
  const unused = (table: string, content: string) =>
    `DELETE FROM ${table} WHERE NOT EXISTS (
      SELECT 1 FROM temp.used u WHERE u.stage = ${table}.stage AND u.content = ${content})`;
  const ofSample = (table: string) => `(SELECT content FROM sample WHERE id = ${table}.sample)`;
  // What depends on others first, although the tables' foreign keys would take most along.
  for (const table of ["scoring", "map", "activation", "prediction"]) {
    sql(unused(table, ofSample(table))).run();
  }
  sql(unused("sampling", "sampling.content")).run();
  sql(unused("detection", "detection.content")).run();
  sql("DROP TABLE temp.used").run();
}

/** Drops whole stages, those first that were not used for longest, until what is left fits. */
function dropLargest(sql: Prepare, maxBytes: number): void {
  const pragma = (name: string) =>
    Object.values(sql(`PRAGMA ${name}`).get() as Record<string, number>)[0];
  const size = () => (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
  const uses = lastUses(sql);
  const stages = stageRows(sql).sort((a, b) =>
    compare(uses.get(a.fingerprint) ?? "", uses.get(b.fingerprint) ?? "") || a.id - b.id
  );
  const scoresMadeWith = (setting: "map" | "detection") =>
    `DELETE FROM scoring WHERE stage IN
      (SELECT id FROM stage WHERE json_valid(settings) AND json_extract(settings, '$.${setting}') = ?)`;
  const rounds: ((stage: StageRow) => void)[] = [
    ({ id }) => void sql("DELETE FROM activation WHERE stage = ?").run(id),
    ({ id, fingerprint }) => {
      // A sample that has scores counts as done, so it must have its map.
      sql(scoresMadeWith("map")).run(fingerprint);
      sql("DELETE FROM map WHERE stage = ?").run(id);
    },
    ({ id, fingerprint }) => {
      sql(scoresMadeWith("detection")).run(fingerprint);
      for (const table of ["scoring", "prediction", "sampling", "detection"]) {
        sql(`DELETE FROM ${table} WHERE stage = ?`).run(id);
      }
    },
  ];
  for (const drop of rounds) {
    for (const stage of stages) {
      if (size() <= maxBytes) return;
      drop(stage);
    }
  }
}

/** Forgets stages without results, so that computing them again does not surprise. */
function dropEmptyStages(sql: Prepare): void {
  const results = ["detection", "sampling", "prediction", "activation", "map", "scoring"]
    .map((table) => `SELECT stage FROM ${table}`);
  sql(`DELETE FROM stage WHERE id NOT IN (${results.join(" UNION ")})`).run();
}

/** Opens a ledger that is there, and says in one line why not. */
function withDatabase<T>(
  path: string,
  options: { readonly readOnly?: boolean; readonly timeout?: number },
  work: (database: DatabaseSync) => T,
): T {
  if (inspectFile(path) !== "a ledger") {
    throw new UsageError(`Cannot use ${path}: it is not a ledger`);
  }
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, options);
    if (!options.readOnly) prepareTables(database, path);
    return work(database);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const problem = ledgerProblem(error, path);
    if (problem !== error && !isBusy(error)) throw problem;
    throw new UsageError(`Cannot use the ledger ${path}: ${messageOf(error)}`, { cause: error });
  } finally {
    database?.close();
  }
}

/** Bytes of a ledger's files. */
function sizeOf(path: string): number {
  return ["", "-wal"].reduce((sum, suffix) => {
    try {
      return sum + Deno.statSync(path + suffix).size;
    } catch {
      return sum;
    }
  }, 0);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
