/**
 * `report`: the tables and the page of a finished run, made again of `run.json` and its ledger.
 *
 * @module
 */

import { join } from "node:path";
import { countRun } from "../../association/count_run.ts";
import { legible } from "../../base/legible.ts";
import { plural } from "../../base/number_text.ts";
import { openFinishedRun } from "../../ledger/finished_run.ts";
import { fileOf } from "../../ledger/manifest.ts";
import { ledgerProblem } from "../../ledger/problem.ts";
import { OUTPUTS, writeOutputs } from "../../outputs/mod.ts";
import { openRunFolder } from "../../run/rewrite.ts";
import { printRemarks } from "../terminal.ts";

/**
 * Writes all outputs of a run again.
 *
 * @param options.out another folder than the run's own
 * @returns the exit status, 0.
 * @throws {UsageError} when there is no run, or its ledger no longer holds all of it.
 */
export async function runReport(
  folder: string,
  { out }: { readonly out?: string },
): Promise<number> {
  using stored = await openFinishedRun(folder);
  const { run, manifest } = stored;
  using target = await openRunFolder(stored, out, "report", OUTPUTS);
  printRemarks(target.remarks);
  let notices: readonly string[];
  try {
    const verdicts = await target.verdicts();
    notices = await writeOutputs(target.folder, {
      run,
      counted: countRun(run),
      summary: manifest.summary,
      verdicts,
      fileOf: stored.fileOf,
    }, OUTPUTS);
  } catch (error) {
    throw ledgerProblem(error, fileOf(folder, manifest.ledger.file));
  }
  for (const notice of notices) {
    if (!manifest.notices.includes(notice)) console.error(`note: ${legible(notice)}`);
  }
  const { images, samples, boxes } = manifest.summary;
  console.log(
    `${plural(images, "image")}, ${plural(samples, "sample")}, ${
      plural(boxes, "box", "boxes")
    }; written again from ${join(folder, "run.json")} and ${manifest.ledger.file}`,
  );
  console.log(`tables    ${target.out}`);
  console.log(`report    ${join(target.out, "report.html")}`);
  return 0;
}
