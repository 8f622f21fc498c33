/**
 * Everything that a finished run leaves in its folder. To add an output, write its file here and list it below.
 *
 * @module
 */

import type { RunStatistics } from "../association/statistics.ts";
import { OwnedFolder } from "../base/owned_folder.ts";
import { agreement } from "./agreement.ts";
import { boxes } from "./boxes.ts";
import { claimsJson, claimsTable } from "./claims.ts";
import { images } from "./images.ts";
import { maps } from "./maps.ts";
import { matrices } from "./matrices.ts";
import { belongsTo, type Output, type OutputPlan } from "./output.ts";
import { paper } from "./paper.ts";
import { predictions } from "./predictions.ts";
import { report } from "./report.ts";
import { statistics } from "./statistics.ts";

export type { Output, OutputPlan, RunSummary, RunToWrite } from "./output.ts";

/** All outputs, in the order in which they are written: the report tells what the others have noticed. */
export const OUTPUTS: readonly Output[] = [
  images,
  predictions,
  boxes,
  matrices,
  agreement,
  maps,
  paper,
  report,
];

/** What `stats` writes. */
export const STATISTICS_OUTPUTS: readonly Output<RunStatistics>[] = [
  statistics,
  claimsTable,
  claimsJson,
];

/** Whether a file of a run's folder is one that `stats` writes: made of results that a new analysis may not have. */
export function isOfStatistics(name: string): boolean {
  return STATISTICS_OUTPUTS.some((output) => belongsTo(output, name));
}

/**
 * Writes the outputs of a run into its folder, and removes what an earlier one left there and this one does not have. The same run gives the
 * same bytes.
 *
 * @returns what a reader must know, a line each
 * @throws {UsageError} when a file that emocam did not write has the name of one of them.
 */
export async function writeOutputs<Run>(
  to: string | OwnedFolder,
  run: Run,
  outputs: readonly Output<Run>[],
): Promise<readonly string[]> {
  const folder = typeof to === "string" ? new OwnedFolder(to) : to;
  const notices: string[] = [];
  for (const output of outputs) {
    if (!output.when || output.when(run)) {
      notices.push(...await output.write(folder, run, notices));
    }
    const changed = folder.removeOthers((name) => belongsTo(output, name));
    notices.push(
      ...changed.map((name) =>
        `${name} is of an earlier run: it was changed since, and therefore stays`
      ),
    );
  }
  return notices;
}

/** Which files a run could write, by their paths in its folder. */
export function plannedOutputs(
  plan: OutputPlan,
  outputs: readonly Pick<Output, "file" | "names">[] = OUTPUTS,
): (name: string) => boolean {
  const own = outputs.map(({ file, names }) => names?.(plan) ?? ((name: string) => name === file));
  return (name) => own.some((takes) => takes(name));
}
