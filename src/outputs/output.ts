/**
 * What an output is: one file or folder in a run's folder, made of the finished run.
 *
 * @module
 */

import { join } from "node:path";
import type { RunOutput } from "../association/count_run.ts";
import type { FinishedRun } from "../ledger/finished_run.ts";
import type { FinishedManifest, VerdictRecord } from "../ledger/manifest.ts";

/** Counts over a run, as its manifest has them. */
export type RunSummary = FinishedManifest["summary"];

/** A finished run with all that outputs are made of. */
export interface RunToWrite {
  readonly run: FinishedRun;
  readonly counted: RunOutput;
  readonly summary: RunSummary;
  /** Verdicts on the methods, where they were checked. */
  readonly verdicts: readonly VerdictRecord[];
  /** Where the picture of an image is, and the SHA-256 that it had; pictures are only read for the report. */
  fileOf(path: string): string | undefined;
}

/** One file or folder of `--out`. */
export interface Output {
  /** Its name in the run's folder. */
  readonly file: string;
  /** Whether this run has it; by default every run has. */
  when?(run: RunToWrite): boolean;
  /**
   * Writes it.
   *
   * @param notices what other outputs gave before
   * @returns what a reader must know, a line each
   */
  write(
    path: string,
    run: RunToWrite,
    notices: readonly string[],
  ): readonly string[] | Promise<readonly string[]>;
  /** Removes what an earlier run left, where this one has none. By default it stays. */
  clear?(path: string): Promise<void>;
}

/** No notices. */
export const NOTHING: readonly string[] = [];

/** Makes a folder, and removes what an earlier run of other methods left in it. */
export async function clearFolder(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(folder, { recursive: true });
}

/** Where an output is. */
export function placeOf(folder: string, { file }: Output): string {
  return join(folder, file);
}
