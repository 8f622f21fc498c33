/**
 * `report`: the tables and the page of a finished run, made again of `run.json` and its ledger.
 *
 * @module
 */

import { join } from "node:path";
import { countRun } from "../../association/count_run.ts";
import { UsageError } from "../../base/errors.ts";
import { isFile, samePlace } from "../../base/files.ts";
import { fileOf, MANIFEST_FILE } from "../../ledger/manifest.ts";
import { ledgerProblem } from "../../ledger/problem.ts";
import { plural } from "../../base/number_text.ts";
import { openFinishedRun } from "../../ledger/finished_run.ts";
import { plannedOutputs, writeOutputs } from "../../outputs/mod.ts";
import { prepareFolder, takeFolder } from "../../run/folder.ts";
import { OUTPUT_FOLDERS, ownFolder } from "../../run/own_files.ts";
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
  const own = await samePlace(out, folder);
  const outputs = plannedOutputs({
    methods: run.methods.map(({ name }) => name),
    images: Array.from(run.images(), ({ path }) => path),
    maps: manifest.arguments.maps === true,
    paper: manifest.arguments.preset !== undefined,
  });
  const owned = await ownFolder(out, {
    option: own ? "the folder of the run" : flag("out"),
    // A run.json beside the files of this run would speak of another one.
    writes: (name) => outputs(name) || !own && name === MANIFEST_FILE,
    folders: OUTPUT_FOLDERS,
    inputs: Array.from(run.images(), ({ path }) => stored.fileOf(path) ?? []).flat(),
  });
  if (!own && await isFile(join(out, MANIFEST_FILE))) {
    throw new UsageError(
      `Cannot write to ${flag("out")} ${
        JSON.stringify(out)
      }: it holds another run; give another folder`,
    );
  }
  if (!own) await prepareFolder(flag("out"), out);
  using taken = takeFolder(out, "report");
  printRemarks(taken.remarks);
  const { classifier: { key, placement }, analysis: { target } } = manifest;
  const checked = await readAxioms(folder, {
    classifier: { key, placementRule: placement },
    classes: run.explained,
    methods: run.methods,
    target,
  });
  let notices: readonly string[];
  try {
    notices = await writeOutputs(owned, {
      run,
      counted: countRun(run),
      summary: manifest.summary,
      // Verdicts of a check after the run are in its folder; those of the run itself in its manifest too.
      verdicts: checked.length > 0 ? checked : stored.verdicts,
      fileOf: stored.fileOf,
    });
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
  console.log(`tables    ${out}`);
  console.log(`report    ${join(out, "report.html")}`);
  return 0;
}
