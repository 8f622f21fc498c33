/**
 * `reproduce`: one run checked, with what a person reads of it; a list of runs is in `list.ts`.
 *
 * @module
 */

import { join } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { hasDrifted } from "../../reproduction/drift.ts";
import { DEFAULT_TOLERANCE, type ParsedOptions } from "../../run/options/mod.ts";
import { causeText } from "../../reproduction/causes.ts";
import type { Verdict } from "../../reproduction/history.ts";
import { lockFolder } from "../../run/folder_lock.ts";
import type { DriftData } from "../../reproduction/page.ts";
import { brokenLock, prepareFolder } from "../../run/folder.ts";
import { checkList } from "../../reproduction/list.ts";
import { DRIFT_HTML, DRIFT_JSON, reproduce, sizeText } from "../../reproduction/reproduce.ts";
import { printRemarks, textTable } from "../terminal.ts";
import { DRIFTED, INTERRUPTED, MISSING } from "../exit_codes.ts";
import { legible } from "../../base/legible.ts";
import { flag } from "../../base/flag.ts";
import { printAnalysis } from "../analyze/events.ts";

/** Options of `reproduce`, parsed. */
export type ReproduceOptions = ParsedOptions<"reproduce">;

/** Where the reports of a single check go by default. */
const OUT = "runs/reproduce";

/** Exit status by verdict. */
export const STATUS: Readonly<Record<Verdict, number>> = {
  identical: 0,
  "within tolerance": 0,
  failed: 1,
  drifted: DRIFTED,
  missing: MISSING,
};
/** Causes that are printed; the report has all. */
const PRINTED = 12;

/**
 * Checks a run, or a list of runs, and prints what was found.
 *
 * @returns the exit status: see `STATUS`; for a list the gravest.
 * @throws {UsageError} when there is no run to be repeated, or an option cannot be used.
 */
export async function runReproduce(
  target: string | undefined,
  options: ReproduceOptions,
): Promise<number> {
  if (options.list !== undefined) return await runList(target, options.list, options);
  if (target === undefined) {
    throw new UsageError(
      `Cannot reproduce: name the folder of a run, or give a list of runs with ${flag("list")}`,
    );
  }
  const out = options.out ?? OUT;
  await prepareFolder(flag("out"), out);
  using lock = lockFolder(out, `reproduce ${target}`);
  printRemarks(brokenLock(lock));
  const checked = await reproduce(target, {
    tolerance: options.tolerance ?? DEFAULT_TOLERANCE,
    images: options.images,
    set: options.set ?? [],
    out,
    keep: options.out !== undefined,
  }, printAnalysis());
  if (checked.kind === "interrupted") return interrupted();
  const { data } = checked;
  printCheck(data);
  console.log(`report ${join(out, DRIFT_HTML)}, ${join(out, DRIFT_JSON)}`);
  return STATUS[data.verdict];
}

/** Says that a check was stopped. */
function interrupted(): number {
  console.error("interrupted");
  return INTERRUPTED;
}

async function runList(
  target: string | undefined,
  list: string,
  { images, set, out, tolerance }: ReproduceOptions,
): Promise<number> {
  const also = [
    target,
    images && flag("images"),
    set && flag("set"),
    out && flag("out"),
    tolerance !== undefined && flag("tolerance"),
  ].find(Boolean);
  if (also) {
    throw new UsageError(
      `Cannot use ${also} together with ${flag("list")}: the list says it for each run`,
    );
  }
  const verdicts = await checkList(list, {
    onLock: (lock) => printRemarks(brokenLock(lock)),
    onCheck: (name, data, line) => {
      console.log(`${name}: ${legible(line)}`);
      if (data.verdict !== "identical") {
        console.log(`  ${legible(data.headline)}`);
        for (const text of whyLines(data)) console.log(`  ${text}`);
      }
    },
    onBegin: (name) => console.error(`checking ${legible(name)}`),
    analysis: printAnalysis(),
  });
  if (verdicts === "interrupted") return interrupted();
  for (const gravest of ["drifted", "missing", "failed"] as const) {
    if (verdicts.includes(gravest)) return STATUS[gravest];
  }
  return 0;
}

function printCheck(data: DriftData): void {
  console.log(`${data.verdict}: ${legible(data.headline)}`);
  for (const text of data.missing) console.log(`missing: ${legible(text)}`);
  for (const line of whyLines(data)) console.log(line);
  for (const note of data.notes) console.log(`note: ${legible(note)}`);
  const { comparison } = data;
  if (!comparison) return;
  console.log(`\n${
    textTable(
      ["values of", "compared", "identical", "within", "drifted", "missing", "new", "largest"],
      comparison.sections.map((section) => [
        hasDrifted(section) ? `${section.name} *` : section.name,
        ...[section.compared, section.identical, section.within, section.drifted].map(String),
        ...[section.missing, section.extra].map(String),
        section.largest ? sizeText(section.largest) : "",
      ]),
    )
  }\n`);
}

/** Why it could differ, a line each. */
function whyLines({ causes, verdict }: DriftData): string[] {
  if (causes.length === 0) {
    return verdict === "drifted" || verdict === "within tolerance"
      ? [
        "nothing that the runs recorded differs: the cause lies elsewhere, such as in a driver or a system library",
      ]
      : [];
  }
  const lines = causes.slice(0, PRINTED).map((cause) =>
    `${verdict === "identical" ? "although" : "why it could"}: ${legible(causeText(cause))}`
  );
  const rest = causes.length - PRINTED;
  return rest > 0 ? [...lines, `and ${rest} more, see the report`] : lines;
}
