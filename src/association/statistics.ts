/**
 * The statistics of a run: every cell tested, and the claims.
 *
 * @module
 */

import type { FinishedRun } from "../ledger/finished_run.ts";
import type { VerdictRecord } from "../ledger/manifest.ts";
import type { Claims } from "./claims/claim.ts";
import { claimsOf, inquire } from "./claims/claims.ts";
import type { Inquiry } from "./evidence/mod.ts";
import type { StatsSettings } from "./stats_settings.ts";

/** What statistics are written from. */
export interface RunStatistics {
  readonly settings: StatsSettings;
  readonly inquiry: Inquiry;
  readonly claims: Claims;
}

/**
 * Computes the statistics of a finished run; no model is needed.
 *
 * @param verdicts of the axioms on its methods, where they were checked
 * @throws {UsageError} for settings that do not fit the run.
 */
export async function runStatistics(
  run: FinishedRun,
  settings: StatsSettings,
  verdicts: readonly VerdictRecord[],
): Promise<RunStatistics> {
  const inquiry = inquire(run, settings, verdicts);
  return { settings, inquiry, claims: await claimsOf(inquiry) };
}
