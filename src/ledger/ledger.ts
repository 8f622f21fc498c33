/**
 * The ledger: one SQLite file with everything a run computed, keyed by content and settings, so that a second method or
 * threshold recomputes nothing that exists and a killed run continues where it stopped.
 *
 * All writing happens in {@linkcode Ledger.commit}, one transaction a batch: a process killed at any moment leaves a file that
 * opens again and has lost at most the batch in flight.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import { messageOf, UsageError } from "../base/errors.ts";
import { copyRun } from "./copy_run.ts";
import { type LedgerOptions, openDatabase } from "./open.ts";
import {
  type BoxColumns,
  boxOf,
  findDuplicates,
  IMAGE_COLUMNS,
  type ImageColumns,
  imageOf,
  type MapColumns,
  mapOf,
  type PredictionColumns,
  predictionOf,
  type SampleColumns,
  type Sampled,
  sampleOf,
  type ScoreColumns,
  scoreOf,
  streamImages,
  streamMaps,
  streamPredictions,
  streamScores,
} from "./reader.ts";
import {
  type DetectionRow,
  type Duplicates,
  fromBlob,
  type ImageRow,
  jsonOf,
  type MapRow,
  type PredictionRow,
  type RunImageRow,
  type RunRow,
  type SampleRow,
  type ScoredSample,
  type ScoreRow,
  type Statement,
} from "./rows.ts";
import type { Prediction, RawMap } from "../attribution/results.ts";
import { ledgerProblem } from "./problem.ts";
import { createWriter, type LedgerWriter } from "./writer.ts";
import { fingerprintOf, settingChanges, settingsJson, type StageSettings } from "./stage.ts";

/** A stage as registered. */
export interface Stage {
  /** Key of everything stored under it, in this ledger only. */
  readonly id: number;
  readonly fingerprint: string;
  /** Whether it was registered before: results may be there already. */
  readonly existing: boolean;
  /**
   * For a new stage, how it differs from the most similar stage of the same name: why results of that name that exist cannot
   * be used. Empty for the first stage of a name.
   */
  readonly changes: string[];
}

/** One open ledger file. */
export class Ledger {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, Statement>();
  readonly #writer: LedgerWriter;
  #committing = false;

  private constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
    this.#writer = createWriter(database);
  }

  /**
   * Opens a ledger, making the file if there is none (its folder must exist). `":memory:"` keeps it in memory.
   *
   * @throws {UsageError} when the file is something else, is of another version, or cannot be opened.
   */
  static open(path: string, options: LedgerOptions = {}): Ledger {
    return new Ledger(openDatabase(path, options), path);
  }

  /** Closes the file. Streams that are still being read end with an error. */
  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Finds or registers a stage. Use one name for all settings that replace each other (`detections`, `grad-cam maps`), so that
   * `changes` compares like with like.
   *
   * @throws {TypeError} for a setting that has no JSON form.
   */
  stage(name: string, settings: StageSettings): Stage {
    const fingerprint = fingerprintOf(name, settings);
    const known = this.#statement(`SELECT id FROM stage WHERE fingerprint = ?`);
    const row = known.get(fingerprint) as { id: number } | undefined;
    if (row) return { id: row.id, fingerprint, existing: true, changes: [] };
    const others = this.#statement(`SELECT settings FROM stage WHERE name = ? ORDER BY id DESC`)
      .all(name) as { settings: string }[];
    const changes = others
      .map((other) =>
        settingChanges(
          JSON.parse(other.settings),
          settings,
          (text) => known.get(text) !== undefined,
        )
      )
      .reduce<string[] | undefined>(
        (least, each) => least && least.length <= each.length ? least : each,
        undefined,
      ) ?? [];
    const added = this.#together(() =>
      this.#statement(
        `INSERT INTO stage (name, fingerprint, settings) VALUES (?, ?, ?) RETURNING id`,
      ).get(name, fingerprint, settingsJson(settings))
    ) as { id: number };
    return { id: added.id, fingerprint, existing: false, changes };
  }

  /** The stage of a fingerprint; `undefined`: it was never registered. */
  findStage(fingerprint: string): number | undefined {
    const row = this.#statement(`SELECT id FROM stage WHERE fingerprint = ?`).get(fingerprint);
    return (row as { id: number } | undefined)?.id;
  }

  /** Starts a run (status `running`) and gives its id. The manifest is any JSON value. */
  startRun(manifest: object): number {
    const row = this.#together(() =>
      this.#statement(
        `INSERT INTO run (manifest, status, started) VALUES (?, 'running', ?) RETURNING id`,
      ).get(JSON.stringify(manifest), new Date().toISOString())
    );
    return (row as { id: number }).id;
  }

  /** Ends a run, replacing its manifest where one is given. */
  finishRun(run: number, status: "finished" | "interrupted", manifest?: object): void {
    this.#statement(
      `UPDATE run SET status = ?, finished = ?, manifest = coalesce(?, manifest) WHERE id = ?`,
    ).run(
      status,
      new Date().toISOString(),
      manifest === undefined ? null : JSON.stringify(manifest),
      run,
    );
  }

  /** All runs, oldest first. One whose status is `running` and that no process works on was killed. */
  runs(): RunRow[] {
    type Columns = Omit<RunRow, "manifest" | "finished"> & {
      manifest: string;
      finished: string | null;
    };
    return (this.#statement(`SELECT id, manifest, status, started, finished FROM run ORDER BY id`)
      .all() as Columns[]).map((row) => ({
        ...row,
        manifest: JSON.parse(row.manifest),
        finished: row.finished ?? undefined,
      }));
  }

  /** What is known of a file. */
  imageByPath(path: string): ImageRow | undefined {
    const row = this.#statement(
      `SELECT ${IMAGE_COLUMNS} FROM image i LEFT JOIN content c ON c.id = i.content
       WHERE i.path = ?`,
    ).get(path) as ImageColumns | undefined;
    return row && imageOf(row);
  }

  /** The detections of a content by a stage; `undefined`: not computed (as against: none found). */
  detection(sha256: string, stage: number): DetectionRow | undefined {
    const done = this.#statement(
      `SELECT d.content, d.faces FROM detection d
       WHERE d.content = (SELECT id FROM content WHERE sha256 = ?) AND d.stage = ?`,
    ).get(sha256, stage) as { content: number; faces: string } | undefined;
    if (!done) return undefined;
    const boxes = this.#statement(
      `SELECT id, idx, label, confidence, x0, y0, x1, y1, face FROM box
       WHERE content = ? AND stage = ? ORDER BY idx`,
    ).all(done.content, stage) as BoxColumns[];
    return { faces: jsonOf(done.faces, "detection"), boxes: boxes.map(boxOf) };
  }

  /** The samples of a content under a sampling stage; `undefined`: not made (as against: none, such as no face). */
  samples(sha256: string, stage: number): SampleRow[] | undefined {
    const done = this.#statement(
      `SELECT content FROM sampling
       WHERE content = (SELECT id FROM content WHERE sha256 = ?) AND stage = ?`,
    ).get(sha256, stage) as { content: number } | undefined;
    if (!done) return undefined;
    return (this.#statement(
      `SELECT id, idx, x0, y0, x1, y1, face FROM sample
       WHERE content = ? AND stage = ? ORDER BY idx`,
    ).all(done.content, stage) as SampleColumns[]).map(sampleOf);
  }

  /** The classifier's answer for a sample. */
  prediction(sample: number, stage: number): Prediction | undefined {
    const row = this.#statement(
      `SELECT predicted, probabilities, logits FROM prediction WHERE sample = ? AND stage = ?`,
    ).get(sample, stage) as PredictionColumns | undefined;
    return row && predictionOf(row);
  }

  /** The activation stored for a sample, flat. */
  activation(sample: number, stage: number): Float32Array | undefined {
    const row = this.#statement(`SELECT data FROM activation WHERE sample = ? AND stage = ?`)
      .get(sample, stage) as { data: Uint8Array } | undefined;
    return row && fromBlob(row.data, "activation");
  }

  /** Bytes that all activations take together: what a caller's budget is compared with. Reads no activation. */
  activationBytes(): number {
    const row = this.#statement(`SELECT coalesce(sum(length(data)), 0) AS bytes FROM activation`);
    return (row.get() as { bytes: number }).bytes;
  }

  /** Whether {@linkcode Ledger.map} would find a map. */
  hasMap(sample: number, stage: number, target: number): boolean {
    return this.#statement(`SELECT 1 FROM map WHERE sample = ? AND stage = ? AND class = ?`)
      .get(sample, stage, target) !== undefined;
  }

  /** The raw map of a class. */
  map(sample: number, stage: number, target: number): RawMap | undefined {
    const row = this.#statement(
      `SELECT height, width, raw FROM map WHERE sample = ? AND stage = ? AND class = ?`,
    ).get(sample, stage, target) as MapColumns | undefined;
    return row && mapOf(row);
  }

  /** Whether all boxes of a sample were scored under the map of a class (also: there were none). */
  scoresDone(sample: number, stage: number, target: number): boolean {
    return this.#statement(`SELECT 1 FROM scoring WHERE sample = ? AND stage = ? AND class = ?`)
      .get(sample, stage, target) !== undefined;
  }

  /**
   * Writes one batch: all that `work` writes is kept together or, when it throws, not at all.
   *
   * @returns what `work` returns.
   * @throws {TypeError} when `work` is asynchronous: a transaction cannot wait.
   * @throws {UsageError} when another process keeps the ledger locked.
   */
  commit<T>(work: (writer: LedgerWriter) => T): T {
    if (this.#committing) throw new Error("Cannot commit: inside another commit; write there");
    try {
      this.#statement("BEGIN IMMEDIATE").run();
    } catch (error) {
      throw ledgerProblem(error, this.#path);
    }
    this.#committing = true;
    try {
      const result = work(this.#writer);
      if (result instanceof Promise) {
        result.catch(() => {}); // its own failure must not hide this one
        throw new TypeError(
          "Cannot commit: the work is asynchronous; compute before, write inside",
        );
      }
      this.#statement("COMMIT").run();
      return result;
    } catch (error) {
      this.#rollBack();
      throw ledgerProblem(error, this.#path);
    } finally {
      this.#committing = false;
    }
  }

  /** The images of a run in its order, failed ones too; `samples` counts those of the sampling stage given. */
  imageRows(run: number, sampling?: number): Generator<RunImageRow> {
    return streamImages(this.#database, run, sampling);
  }

  /** The names of all annotation columns of a run, in order of first appearance. */
  annotationNames(run: number): string[] {
    const names = new Set<string>();
    for (const { annotation } of this.imageRows(run)) {
      for (const name of Object.keys(annotation ?? {})) names.add(name);
    }
    return [...names];
  }

  /** Groups of images of a run that have equal bytes, in the order of their first images. */
  duplicates(run: number): Duplicates[] {
    return findDuplicates(this.#database, run);
  }

  /** The samples of a run with the classifier's answers, by image and sample; unfinished samples are left out. */
  predictionRows(run: number, stages: Sampled): Generator<PredictionRow> {
    return streamPredictions(this.#database, run, stages);
  }

  /**
   * The samples of a run, each once for each of `methods` (ids of the stages that scores were written under, in this order), with
   * all its scores by class and box. Samples without a prediction are left out; one that has a prediction but no scores yet comes with no
   * `targets`.
   */
  scoreRows(run: number, stages: Sampled, methods: readonly number[]): Generator<ScoredSample> {
    return streamScores(this.#database, run, stages, methods);
  }

  /** The scores of one sample's boxes under the map of a class, by the box's place; none where they are not computed. */
  scoresOf(sample: number, stage: number, target: number): ScoreRow[] {
    const rows = this.#statement(
      `SELECT e.class, e.box, e.importance, e.share,
         b.id, b.idx, b.label, b.confidence, b.x0, b.y0, b.x1, b.y1, b.face
       FROM score e CROSS JOIN box b ON b.id = e.box
       WHERE e.sample = ? AND e.stage = ? AND e.class = ? ORDER BY b.idx, b.id`,
    ).all(sample, stage, target) as (ScoreColumns & BoxColumns)[];
    return rows.map((row) => scoreOf(row, boxOf(row)));
  }

  /** The raw maps of one map stage, by image, sample and class. */
  mapRows(run: number, stages: { sampling: number; map: number }): Generator<MapRow> {
    return streamMaps(this.#database, run, stages);
  }

  /** How many rows of a table the samples of a run have under a stage. */
  countResults(
    run: number,
    sampling: number,
    table: "prediction" | "map" | "scoring",
    stage: number,
  ): number {
    const row = this.#statement(
      `SELECT count(*) AS n FROM run_image r CROSS JOIN image i ON i.id = r.image
       CROSS JOIN sample s ON s.content = i.content AND s.stage = ?
       CROSS JOIN ${table} t ON t.sample = s.id AND t.stage = ?
       WHERE r.run = ?`,
    ).get(sampling, stage, run);
    return (row as { n: number }).n;
  }

  /**
   * Copies a run into a separate ledger, with the results of these stages (by fingerprint) but for activations. A file of that name is replaced.
   *
   * @throws {UsageError} when the file cannot be written.
   */
  copyRun(run: number, fingerprints: readonly string[], path: string): void {
    const stages = fingerprints.flatMap((fingerprint) => this.findStage(fingerprint) ?? []);
    try {
      copyRun(this.#database, run, stages, path);
    } catch (error) {
      const problem = ledgerProblem(error, path);
      if (problem !== error) throw problem;
      throw new UsageError(`Cannot write the run's ledger ${path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /**
   * A row that is asked for while it is written comes before it is stored: without a transaction nothing would tell that the disk was full
   * then.
   */
  #together<T>(work: () => T): T {
    return this.#committing ? work() : this.commit(work);
  }

  #rollBack(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself (disk full, out of memory): the error that led here says more.
    }
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }
}
