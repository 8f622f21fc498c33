/**
 * Repeating one run and comparing the two.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { messageOf, ModelError, UsageError } from "../base/errors.ts";
import { compareRuns, type RunComparison } from "./compare.ts";
import { type Difference, hasDrifted, placeText, type Section, SECTIONS } from "./drift.ts";
import { type Cause, causeText, driftCauses } from "./causes.ts";
import { isObject, type ManifestJson } from "../ledger/manifest.ts";
import type { Verdict } from "./history.ts";
import { isFile, isFolder, samePlace } from "../base/files.ts";
import { OwnedFolder } from "../base/owned_folder.ts";
import { hashTables, listTables } from "../outputs/read.ts";
import type { Fact } from "../figures/mod.ts";
import { type DriftData, driftReport } from "./page.ts";
import { type Backend, BACKENDS } from "../runtime/session.ts";
import { chooseBackend } from "../runtime/open.ts";
import { flag } from "../base/flag.ts";
import type { AnalyzeOptions } from "../run/options/mod.ts";
import { repeatedOptions } from "../run/options/again.ts";
import { ownFolder, removeRun } from "../run/own_files.ts";
import { analyze, type AnalyzeEvents, type InterruptedRun } from "../run/analyze.ts";
import {
  readRecord,
  recordedImages,
  recordedOptions,
  type RunRecord,
  textOf,
} from "../run/record.ts";

/** How a run is repeated. */
export interface ReproductionOptions {
  readonly tolerance: number;
  readonly images?: string | undefined;
  /** Options of `analyze` instead of the recorded ones, `name=value` each. */
  readonly set: readonly string[];
  /** Folder for the reports; it exists. */
  readonly out: string;
  /** Whether the repeated run stays, in `repeated-run` of that folder. */
  readonly keep: boolean;
}

/** The names of what a check leaves in its folder. */
export const DRIFT_JSON = "drift.json";
export const DRIFT_HTML = "drift.html";
/** Where the repeated run is made. */
const REPEATED = "repeated-run";

/** What came of a check: its data, or that its user stopped it. */
export type Reproduced =
  | { readonly kind: "checked"; readonly data: DriftData }
  | { readonly kind: "interrupted" };

/**
 * Repeats a run, compares, and writes `drift.json` and `drift.html`. Anything that keeps a recorded run from being repeated here (images,
 * tables, models, boxes, a backend) is a missing input, told in the result.
 *
 * @throws {UsageError} when there is no such run, or an option cannot be used.
 */
export async function reproduce(
  target: string,
  options: ReproductionOptions,
  events: AnalyzeEvents = {},
): Promise<Reproduced> {
  const run = await readRecord(target);
  const repeated = resolve(options.out, REPEATED);
  if (await samePlace(repeated, run.folder)) {
    throw new UsageError(
      `Cannot repeat ${target} into itself: give another ${
        flag("out")
      }, so that both can be compared`,
    );
  }
  const recorded = recordedOptions(run, options.set);
  const owned = await ownFolder(options.out, {
    option: flag("out"),
    writes: (name) => name === DRIFT_JSON || name === DRIFT_HTML,
    folders: [REPEATED],
  });
  await removeRun(repeated);
  const outcome = await repeat(run, recorded, { ...options, repeated }, events);
  if (outcome.kind === "interrupted") return outcome;
  const data = await judge(target, run, options, outcome, repeated);
  const json = JSON.stringify(
    data,
    // JSON has no Infinity: the difference of a number and none.
    (_, value) => typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
    1,
  );
  await owned.write(DRIFT_JSON, json + "\n");
  await owned.write(DRIFT_HTML, driftReport(data));
  if (!options.keep) await removeRun(repeated);
  return { kind: "checked", data };
}

/** Removes the reports of a check and what is left of its run; what else is in the folder stays. */
export async function removeReport(folder: string): Promise<void> {
  await removeRun(join(folder, REPEATED));
  const owned = new OwnedFolder(folder);
  // Versions before the record of files left these two.
  if (owned.names().length === 0) {
    for (const name of [DRIFT_JSON, DRIFT_HTML]) {
      if (await isFile(join(folder, name))) owned.adopt(name);
    }
  }
  owned.removeAll();
}

/** What came of repeating. */
interface Outcome {
  readonly kind: "repeated";
  readonly missing: readonly string[];
  readonly notes: readonly string[];
}

/** Runs the analysis again, with relative paths from the folder that it was run from, so that they mean what they meant. */
async function repeat(
  run: RunRecord,
  options: AnalyzeOptions,
  { images: moved, set, repeated }: ReproductionOptions & { repeated: string },
  events: AnalyzeEvents,
): Promise<Outcome | InterruptedRun> {
  const missing = await missingTables(run);
  const there = await isFolder(run.from);
  const base = there ? run.from : undefined;
  const notes = there
    ? []
    : ["the folder that the run was made from is gone: paths are taken from the current folder"];
  try {
    const found = await recordedImages(run, options.labels, { base, moved });
    missing.push(...found.missing.map((path) => `image ${path}`));
    if (found.added > 0) {
      notes.push(`images that are new in the corpus are left out: ${found.added}`);
    }
    if (missing.length > 0) return { kind: "repeated", missing, notes };
    const chosen = set.some((change) => /^(--)?backend=/.test(change))
      ? { backend: options.backend, notes: [] }
      : await recordedBackend(run);
    notes.push(...chosen.notes);
    const outcome = await analyze(
      run.record.arguments.paths,
      { ...options, ...repeatedOptions(), backend: chosen.backend, out: repeated },
      { images: found.images, corpus: found.corpus, base },
      events,
    );
    return outcome.kind === "interrupted" ? outcome : { kind: "repeated", missing, notes };
  } catch (error) {
    // The run was made with these models, boxes and options: what cannot be used any more is gone or has changed.
    if (error instanceof UsageError || error instanceof ModelError) {
      if (set.length > 0 && error instanceof UsageError) throw error;
      return { kind: "repeated", missing: [...missing, messageOf(error)], notes };
    }
    throw error;
  }
}

/** Tables that the run wrote and that are not in its folder any more. */
async function missingTables({ folder, record }: RunRecord): Promise<string[]> {
  const there = await listTables(folder);
  const missing = Object.keys(record.outputs ?? {}).filter((name) => !there.includes(name))
    .map((name) => `table ${name} of the run`);
  if (there.length === 0 && missing.length === 0) missing.push("the tables of the run");
  return missing;
}

/** The backend that the run used, where it is there; with the note that tells when it is not. */
async function recordedBackend(
  run: RunRecord,
): Promise<{ backend: Backend | "auto"; notes: readonly string[] }> {
  const name = BACKENDS.find((known) => known === run.record.backend.name);
  if (name === undefined) return { backend: "auto", notes: [] };
  try {
    await chooseBackend(name);
    return { backend: name, notes: [] };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { backend: "auto", notes: [`${messageOf(error)}; repeated on another one`] };
  }
}

/** From two runs to the verdict. */
async function judge(
  target: string,
  run: RunRecord,
  { tolerance }: ReproductionOptions,
  { missing, notes }: Outcome,
  repeated: string,
): Promise<DriftData> {
  const about = {
    run: target,
    tolerance,
    time: new Date().toISOString(),
    missing,
    before: facts(run.manifest),
  };
  if (missing.length > 0) {
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
    return {
      ...about,
      verdict: "missing",
      headline: `Cannot repeat the run without ${missing[0]}${more}`,
      causes: [],
      notes,
      after: [],
    };
  }
  const again = await readRecord(repeated);
  const comparison = await compareRuns(run.folder, repeated, {
    tolerance,
    threshold: run.record.settings?.threshold,
    tables: run.record.outputs ? Object.keys(run.record.outputs) : undefined,
  });
  const causes = driftCauses(run.manifest, again.manifest, await alteredTables(run));
  const verdict = verdictOf(comparison, causes);
  return {
    ...about,
    verdict,
    headline: headlineOf(verdict, comparison, causes, tolerance),
    comparison,
    causes,
    notes: [...notes, ...newNotes(comparison)],
    after: facts(again.manifest),
  };
}

/** Tables of a run that are not those it wrote, by the hashes in its manifest. */
async function alteredTables({ folder, record }: RunRecord): Promise<string[]> {
  const { outputs = {} } = record;
  const now = await hashTables(folder, Object.keys(outputs));
  return Object.entries(outputs).filter(([name, hash]) => now[name] !== hash)
    .map(([name]) => name);
}

function verdictOf({ sections }: RunComparison, causes: readonly Cause[]): Verdict {
  if (sections.some(hasDrifted) || causes.some(({ input }) => input)) return "drifted";
  return sections.every(({ within }) => within === 0) ? "identical" : "within tolerance";
}

function headlineOf(
  verdict: Verdict,
  comparison: RunComparison,
  causes: readonly Cause[],
  tolerance: number,
): string {
  const { sections, tables } = comparison;
  const sum = (of: (section: Section) => number) => sections.reduce((all, own) => all + of(own), 0);
  const values = sum(({ compared }) => compared);
  const largest = largestDifference(comparison);
  const greatest = largest
    ? `the largest difference is ${sizeText(largest)} (${placeText(largest.place)})`
    : "no number differs";
  if (verdict === "identical") {
    const same = tables.filter(({ before, after }) => before === after).length;
    return `all ${values} values are the same; ${same} of ${tables.length} tables are byte-identical`;
  }
  if (verdict === "within tolerance") {
    return `${values} values; ${greatest}, the tolerance ${tolerance}`;
  }
  const first = firstDrift(comparison);
  if (!first) {
    const inputs = causes.filter(({ input }) => input).map(causeText);
    return `an input is not that of the run, although ${greatest}: ${inputs[0]}`;
  }
  const outside = sum(({ drifted, missing, extra }) => drifted + missing + extra);
  return `first at ${placeText(first.place)}: ${changeText(first)}; ` +
    `${outside} of ${values} values are outside the tolerance ${tolerance}; ${greatest}`;
}

/** The first value outside the tolerance, in the order in which a run computes. */
export function firstDrift({ sections }: RunComparison): Difference | undefined {
  return SECTIONS.map((name) => sections.find((section) => section.name === name)?.first)
    .find((difference) => difference !== undefined);
}

/** The largest distance of two numbers anywhere. */
export function largestDifference({ sections }: RunComparison): Difference | undefined {
  return sections.flatMap(({ largest }) => largest ?? [])
    .sort((a, b) => (b.distance ?? 0) - (a.distance ?? 0))[0];
}

/** A difference's size for people, three digits. */
export function sizeText({ distance }: Difference): string {
  if (distance === undefined) return "";
  return Number.isFinite(distance) ? String(Number(distance.toPrecision(3))) : "a number to NaN";
}

function changeText({ before, after, distance }: Difference): string {
  if (before === undefined) return "it is new";
  if (after === undefined) return "it is gone";
  return `${before} → ${after}${
    distance !== undefined && Number.isFinite(distance)
      ? ` (difference ${Number(distance.toPrecision(3))})`
      : ""
  }`;
}

function newNotes({ newColumns, newTables, crossings }: RunComparison): string[] {
  return [
    ...newColumns.length > 0
      ? [`columns that are new are not compared: ${newColumns.join(", ")}`]
      : [],
    ...newTables.length > 0
      ? [`tables that are new are not compared: ${newTables.join(", ")}`]
      : [],
    ...crossings.first
      ? [
        `importances within the tolerance that cross the salience threshold: ${crossings.count}, first ` +
        `${
          placeText(crossings.first.place)
        }: ${crossings.first.before} → ${crossings.first.after}; ` +
        "each changes a count of the matrices",
      ]
      : [],
  ];
}

/** What computed a run, as facts. */
function facts(manifest: ManifestJson): Fact[] {
  const all: Fact[] = [];
  const add = (name: string, value: ManifestJson[string] | undefined) => {
    if (value !== undefined) all.push({ name, value: textOf(value) });
  };
  const { versions, backend, machine } = manifest;
  if (isObject(versions)) Object.entries(versions).forEach(([name, value]) => add(name, value));
  add("commit", manifest.commit);
  if (isObject(backend)) {
    add("backend", backend.name);
    add("adapter", backend.adapter);
  }
  if (isObject(machine)) Object.entries(machine).forEach(([name, value]) => add(name, value));
  return all;
}
