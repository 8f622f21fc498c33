/**
 * `report`: the tables and the page of a finished run, made again of `run.json` and its ledger.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { countRun } from "../../association/count_run.ts";
import { plural } from "../../base/number_text.ts";
import { openFinishedRun } from "../../ledger/finished_run.ts";
import { writeOutputs } from "../../outputs/mod.ts";
import { prepareFolder, takeFolder } from "../../run/folder.ts";
import { readAxioms } from "../../run/verdicts.ts";
import { legible } from "../../base/legible.ts";
import { flag } from "../../base/flag.ts";
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
  { out = folder }: { readonly out?: string },
): Promise<number> {
  using stored = await openFinishedRun(folder);
  const { run, manifest } = stored;
  if (resolve(out) !== resolve(folder)) await prepareFolder(flag("out"), out);
  using taken = takeFolder(out, "report");
  printRemarks(taken.remarks);
  const { classifier: { key, placement }, analysis: { target } } = manifest;
  const checked = await readAxioms(folder, {
    classifier: { key, placementRule: placement },
    classes: run.explained,
    methods: run.methods,
    target,
  });
  const notices = await writeOutputs(out, {
    run,
    counted: countRun(run),
    summary: manifest.summary,
    // Verdicts of a check after the run are in its folder; those of the run itself in its manifest too.
    verdicts: checked.length > 0 ? checked : stored.verdicts,
    fileOf: stored.fileOf,
  });
  for (const notice of notices) {
    if (!manifest.notices.includes(notice)) console.error(`note: ${legible(notice)}`);
  }
  const { images, samples, boxes } = manifest.summary;
  console.log(
    `${plural(images, "image")}, ${plural(samples, "sample")}, ${
      plural(boxes, "box", "boxes")
    }; written again from ${join(folder, "run.json")} and ${manifest.ledger.file}`,
  );
  console.log(`tables    ${out}`);
  console.log(`report    ${join(out, "report.html")}`);
  return 0;
}
