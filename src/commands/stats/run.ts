/**
 * `stats`: the statistics of a finished run, made of `run.json` and its ledger.
 *
 * @module
 */

import { join } from "node:path";
import { audit, readExpectations } from "../../association/claims/expectations.ts";
import { checkUnits } from "../../association/units.ts";
import { runStatistics } from "../../association/statistics.ts";
import { legible } from "../../base/legible.ts";
import { plural } from "../../base/number_text.ts";
import { openFinishedRun } from "../../ledger/finished_run.ts";
import { fileOf } from "../../ledger/manifest.ts";
import { ledgerProblem } from "../../ledger/problem.ts";
import { STATISTICS_OUTPUTS, writeOutputs } from "../../outputs/mod.ts";
import type { ParsedOptions } from "../../run/options/mod.ts";
import { openRunFolder } from "../../run/rewrite.ts";
import { defined } from "../../base/defined.ts";
import type { FinishedManifest } from "../../ledger/manifest.ts";
import type { StatsSettings } from "../../association/stats_settings.ts";
import { claimsText } from "./claims_text.ts";
import { printRemarks } from "../terminal.ts";

/** Exit status of an audit that found a fault. */
const AUDIT_FAILED = 1;

/**
 * Computes the statistics of a run and writes them into its folder or another one.
 *
 * @returns the exit status: 0, or 1 where an audit list is not met.
 * @throws {UsageError} when there is no run, or the settings do not fit it.
 */
export async function runStats(
  folder: string,
  options: ParsedOptions<"stats">,
): Promise<number> {
  using stored = await openFinishedRun(folder);
  const { run, manifest } = stored;
  const settings = settingsOf(manifest, options);
  const expectations = options.expect === undefined
    ? undefined
    : await readExpectations(options.expect, run.classes);
  checkUnits(run, settings.block);
  using target = await openRunFolder(stored, options.out, "stats", STATISTICS_OUTPUTS);
  printRemarks(target.remarks);
  try {
    const statistics = await runStatistics(run, settings, await target.verdicts());
    const notices = await writeOutputs(target.folder, statistics, STATISTICS_OUTPUTS);
    for (const notice of notices) {
      if (!manifest.notices.includes(notice)) console.error(`note: ${legible(notice)}`);
    }
    console.log(claimsText(statistics));
    console.log(`\nclaims    ${join(target.out, "claims.csv")}, claims.json`);
    console.log(`cells     ${join(target.out, "statistics")}`);
    if (!expectations) return 0;
    const { faults } = audit(statistics.claims.claims, expectations);
    for (const fault of faults) console.log(`audit: ${legible(fault)}`);
    console.log(
      `audit: ${plural(expectations.length, "line")}, ${
        faults.length === 0 ? "passed" : `${plural(faults.length, "fault")}: failed`
      }`,
    );
    return faults.length === 0 ? 0 : AUDIT_FAILED;
  } catch (error) {
    throw ledgerProblem(error, fileOf(folder, manifest.ledger.file));
  }
}

/** What the statistics are made with: where nothing is given, threshold and seed are those of the run. */
function settingsOf(
  { analysis }: FinishedManifest,
  options: ParsedOptions<"stats">,
): StatsSettings {
  const { alpha, correction, block, evidence, emotionConfidence, objectConfidence } = options;
  return {
    threshold: options.threshold ?? analysis.threshold,
    ...defined({ emotionConfidence, objectConfidence }),
    alpha,
    correction,
    seed: options.seed ?? analysis.seed,
    ...defined({ block, evidence }),
  };
}
