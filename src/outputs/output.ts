/**
 * What an output is: one file or folder in a run's folder, made of the finished run.
 *
 * @module
 */

import type { RunOutput } from "../association/count_run.ts";
import type { OwnedFolder } from "../base/owned_folder.ts";
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

/** What is known of a run's outputs before it has begun. */
export interface OutputPlan {
  /** Names of the methods. */
  readonly methods: readonly string[];
  /** Paths of the images. */
  readonly images: readonly string[];
  /** Whether raw maps are written. */
  readonly maps: boolean;
  /** Whether the paper's tables are. */
  readonly paper: boolean;
}

/** One file or folder of `--out`, made of a run that was counted or, by `stats`, tested. */
export interface Output<Run = RunToWrite> {
  /** Its name in the run's folder. */
  readonly file: string;
  /** It is a folder. */
  readonly folder?: true;
  /** Whether this run has it; by default every run has. */
  when?(run: Run): boolean;
  /**
   * Which files of its own a run could write, by their paths in the run's folder: a function, so that it is made once for many names. By
   * default the one of its name.
   */
  names?(plan: OutputPlan): (name: string) => boolean;
  /**
   * Writes it.
   *
   * @param notices what other outputs gave before
   * @returns what a reader must know, a line each
   */
  write(
    folder: OwnedFolder,
    run: Run,
    notices: readonly string[],
  ): readonly string[] | Promise<readonly string[]>;
}

/** No notices. */
export const NOTHING: readonly string[] = [];

/** Whether a file is part of an output, by its path in the run's folder. */
export function belongsTo(
  { file, folder }: Pick<Output, "file" | "folder">,
  name: string,
): boolean {
  return folder ? name.startsWith(`${file}/`) : name === file;
}
