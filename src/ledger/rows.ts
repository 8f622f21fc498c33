/**
 * What the ledger takes and gives: one type a row, and how float32 arrays become blobs.
 *
 * @module
 */

import { UsageError } from "../base/errors.ts";
import type { Rect } from "../image/geometry.ts";
import type { Prediction, RawMap } from "../attribution/results.ts";
import { flag } from "../base/flag.ts";

/** A value SQLite stores. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** What the ledger uses of a prepared statement. */
export interface Statement {
  run(...values: SqlValue[]): { changes: number | bigint };
  get(...values: SqlValue[]): unknown;
  all(...values: SqlValue[]): unknown[];
  /** By named parameters. */
  iterate(values: Record<string, SqlValue>): Iterable<unknown>;
}

/** What the ledger's parts use of an open database. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
}

/** An image of a run as the caller knows it. `sha256` is of the file's bytes; absent when the file cannot be read at all. */
export interface ImageInput {
  readonly path: string;
  readonly status: "ok" | "failed";
  /** Why it failed. */
  readonly error?: string | undefined;
  readonly sha256?: string | undefined;
  /** Size of the file. */
  readonly bytes?: number | undefined;
  /** Pixels as stored in the file: its orientation is not applied (see `stored_size.ts`). */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly format?: string | undefined;
  /** EXIF orientation, 1–8. */
  readonly orientation?: number | undefined;
  /** The corpus file's other columns. */
  readonly annotation?: Readonly<Record<string, string>> | undefined;
}

/** An image as stored. */
export interface ImageRow extends ImageInput {
  readonly id: number;
}

/** An image of a run, in the run's order. */
export interface RunImageRow extends ImageRow {
  readonly ordinal: number;
  /** How many samples it has under the sampling stage asked for. */
  readonly samples: number;
}

/** A detection to store: see `Box` in src/detectors/detector.ts. */
export interface BoxInput extends Rect {
  readonly label: string;
  readonly confidence: number;
  /** Index of the face it is a part of. */
  readonly face?: number | undefined;
}

/** A detection as stored; `idx` is its place in the detector's answer. */
export interface BoxRow extends BoxInput {
  readonly id: number;
  readonly idx: number;
}

/** All detections of one image's content by one detection stage. */
export interface DetectionRow {
  /** What the detector says of faces: any JSON value, as it was given but for float arrays, which come back as number[]. */
  readonly faces: unknown;
  readonly boxes: BoxRow[];
}

/** What the classifier saw: a region in image pixels. */
export interface SampleInput extends Rect {
  /** Index of the face it was cut around. */
  readonly face?: number | undefined;
}

/** A sample as stored; `idx` is its place in its image. */
export interface SampleRow extends SampleInput {
  readonly id: number;
  readonly idx: number;
}

/** The importance of one box under one map. */
export interface ScoreInput {
  /** Id of the box. */
  readonly box: number;
  /** Mean of the map in the box, 0..1; NaN: could not be said. */
  readonly importance: number;
  /** Fraction of the box inside the sample's frame, 0..1. */
  readonly share: number;
}

/** Where a row of a streamed table belongs: the image, and the sample in it. */
export interface SamplePlace {
  readonly ordinal: number;
  readonly path: string;
  readonly sample: SampleRow;
}

/** One sample with the classifier's answer. */
export interface PredictionRow extends SamplePlace, Prediction {}

/** One box under one map of a sample. */
export interface ScoreRow {
  readonly class: number;
  readonly box: BoxRow;
  readonly importance: number;
  readonly share: number;
}

/** One sample under one method: what the accumulator adds, and what the box table lists. */
export interface ScoredSample extends SamplePlace {
  /** Place of the method's stage among those asked for. */
  readonly method: number;
  readonly predicted: number;
  /** Classes whose maps were scored, ascending; empty: this sample is not computed yet under this stage. */
  readonly targets: number[];
  /** By class, then by the box's place. */
  readonly scores: ScoreRow[];
}

/** One stored map. */
export interface MapRow extends SamplePlace, RawMap {
  readonly class: number;
}

/** Files of a run that have equal bytes. */
export interface Duplicates {
  readonly sha256: string;
  /** In the run's order. */
  readonly paths: string[];
}

/** A run as stored. */
export interface RunRow {
  readonly id: number;
  readonly manifest: unknown;
  readonly status: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly finished?: string | undefined;
}

/** The bytes of a float32 array, little-endian (as every platform Deno runs on is), without a copy. */
export function toBlob(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Refuses a row that no run can have written: the file was damaged or made by others, and numbers from it would be wrong.
 *
 * @throws {UsageError} always.
 */
export function damaged(table: string): never {
  throw new UsageError(
    `Cannot use the ledger: a row of its table ${table} is damaged; use ${
      flag("fresh")
    } to start over or another ${flag("out")}`,
  );
}

/** A JSON value of a row. @throws {UsageError} */
export function jsonOf(text: string, table: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return damaged(table);
  }
}

/** A number of a row; SQLite keeps whatever was written. @throws {UsageError} */
export function numberOf(value: unknown, table: string): number {
  return typeof value === "number" && Number.isFinite(value) ? value : damaged(table);
}

/** A number or NaN, which is stored as NULL. @throws {UsageError} */
export function numberOrNaN(value: unknown, table: string): number {
  return value === null ? NaN : numberOf(value, table);
}

/** The float32 array of a blob; without a copy where its bytes are aligned. @throws {UsageError} when it holds no whole numbers of them. */
export function fromBlob(blob: unknown, table: string): Float32Array {
  if (!(blob instanceof Uint8Array) || blob.byteLength % 4 !== 0) damaged(table);
  const bytes = blob.byteOffset % 4 === 0 ? blob : blob.slice();
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}
