/**
 * `reproduce --list`: checks a list of runs, keeps their reports and a history. Made to be started by a schedule.
 *
 * @module
 */

import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { messageOf, UsageError } from "../base/errors.ts";
import { decodeUnicode } from "../base/text.ts";
import { fileNames } from "../base/file_names.ts";
import { placeText } from "./drift.ts";
import { DEFAULT_TOLERANCE } from "../run/options/mod.ts";
import { causeText } from "./causes.ts";
import {
  appendHistory,
  historyLine,
  type HistoryRow,
  readHistory,
  type Verdict,
} from "./history.ts";
import { type FolderLock, lockFolder } from "../run/folder_lock.ts";
import type { AnalyzeEvents } from "../run/analyze.ts";
import type { DriftData } from "./page.ts";
import { prepareFolder } from "../run/folder.ts";
import {
  DRIFT_JSON,
  firstDrift,
  largestDifference,
  reproduce,
  type Reproduced,
  type ReproductionOptions,
} from "./reproduce.ts";
import { removeReport } from "./reproduce.ts";
import { isFile } from "../base/files.ts";
import { flag } from "../base/flag.ts";

/** `reproduce.json`. Paths are relative to the folder that it lies in. */
const listSchema = z.strictObject({
  runs: z.array(z.strictObject({
    /** Folder of a run, or its `run.json`. */
    run: z.string().min(1),
    /** How it is called in the history; by default as its path. */
    name: z.string().regex(/^[\w.-]+$/).optional(),
    tolerance: z.number().min(0).optional(),
    images: z.string().optional(),
    /** Options of `analyze` instead of the recorded ones. */
    set: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  })).min(1),
  /** Folder of the reports and the history. */
  reports: z.string().min(1).default("runs/reproduce"),
  /** Reports that are kept of each run; the history keeps all rows. */
  keep: z.number().int().min(1).default(12),
  tolerance: z.number().min(0).default(DEFAULT_TOLERANCE),
});

/** What happens while a list is checked. */
interface ListEvents {
  onLock(lock: FolderLock): void;
  /** A run was checked; `line` is what its history says. */
  onCheck(name: string, data: DriftData, line: string): void;
  /** A run of the list is about to be checked. */
  onBegin(name: string): void;
  /** What happens while a run is repeated. */
  readonly analysis?: AnalyzeEvents;
}

/**
 * Checks the runs of a list one after another. A run that cannot be checked does not keep the others from it.
 *
 * @returns the verdicts, in the order of the list; or that its user stopped it.
 * @throws {UsageError} when the list cannot be used, or another process is at these reports.
 */
export async function checkList(
  file: string,
  events: ListEvents,
): Promise<readonly Verdict[] | "interrupted"> {
  const { runs, reports, keep, tolerance } = await readList(file);
  const base = dirname(resolve(file));
  const folder = join(base, reports);
  await prepareFolder("reports", folder);
  using lock = lockFolder(folder, `reproduce ${flag("list")} ${file}`);
  events.onLock(lock);
  const nameOf = fileNames();
  const verdicts: Verdict[] = [];
  for (const entry of runs) {
    const name = nameOf(entry.name ?? entry.run);
    const own = join(folder, name);
    await removeUnfinished(own);
    // Names that sort by time and that every file system takes.
    const report = join(own, new Date().toISOString().replaceAll(":", "-"));
    await Deno.mkdir(report, { recursive: true });
    events.onBegin(name);
    const checked = await checkOne(join(base, entry.run), entry.run, {
      tolerance: entry.tolerance ?? tolerance,
      images: entry.images === undefined ? undefined : join(base, entry.images),
      set: Object.entries(entry.set ?? {}).map(([option, value]) => `${option}=${value}`),
      out: report,
      keep: false,
    }, events.analysis);
    if (checked.kind === "interrupted") return "interrupted";
    const { data } = checked;
    const written = await isFile(join(report, DRIFT_JSON));
    await appendHistory(folder, [
      rowOf(name, data, written ? `${name}/${report.slice(own.length + 1)}` : ""),
    ]);
    await removeUnfinished(own);
    await removeOld(own, keep);
    const history = (await readHistory(folder)).filter(({ run }) => run === name);
    events.onCheck(name, data, historyLine(history));
    verdicts.push(data.verdict);
  }
  return verdicts;
}

async function readList(file: string): Promise<z.infer<typeof listSchema>> {
  let content: unknown;
  try {
    content = JSON.parse(decodeUnicode(await Deno.readFile(file)));
  } catch (error) {
    throw new UsageError(
      `Cannot read the list of runs ${file}: ${messageOf(error)}; see schedule/ for an example`,
    );
  }
  const parsed = listSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(
    `Cannot use the list of runs ${file}: ${issue!.path.join(".") || "the file"}: ${
      issue!.message
    }`,
  );
}

/** A check whose failure is a verdict, too. */
async function checkOne(
  target: string,
  name: string,
  options: ReproductionOptions,
  events: AnalyzeEvents | undefined,
): Promise<Reproduced> {
  try {
    const checked = await reproduce(target, options, events);
    return checked.kind === "interrupted"
      ? checked
      : { ...checked, data: { ...checked.data, run: name } };
  } catch (error) {
    const why = messageOf(error);
    const data: DriftData = {
      run: name,
      verdict: error instanceof UsageError ? "missing" : "failed",
      headline: why,
      tolerance: options.tolerance,
      time: new Date().toISOString(),
      missing: [why],
      causes: [],
      notes: [],
      before: [],
      after: [],
    };
    return { kind: "checked", data };
  }
}

function rowOf(name: string, data: DriftData, report: string): HistoryRow {
  const { comparison, causes, missing } = data;
  const fact = (wanted: string) => data.after.find((own) => own.name === wanted)?.value ?? "";
  const first = comparison && firstDrift(comparison);
  const largest = comparison && largestDifference(comparison);
  const gone = missing.map((text) => `missing: ${text}`);
  const inputs = [...gone, ...causes.filter(({ input }) => input).map(causeText)];
  return {
    time: data.time,
    run: name,
    verdict: data.verdict,
    largest_difference: comparison ? String(largest?.distance ?? 0) : "",
    tolerance: String(data.tolerance),
    where: first ? placeText(first.place) : "",
    reasons: [...gone, ...causes.map(causeText)].join("; "),
    inputs: inputs.length > 0 ? JSON.stringify(inputs) : "",
    emocam: fact("emocam"),
    commit: fact("commit"),
    deno: fact("deno"),
    runtime: fact("runtime"),
    backend: fact("backend"),
    adapter: fact("adapter"),
    machine: [fact("processor"), fact("os"), fact("arch")].filter(Boolean).join(", "),
    report,
  };
}

/** A report's folder: a time, as it is named above. */
const REPORT_NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/;

async function reportsIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory && REPORT_NAME.test(name)) names.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

/** Removes what a check that was killed left; the lock says that none is running. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await reportsIn(folder)) {
    const finished = await isFile(join(folder, name, DRIFT_JSON));
    if (!finished) await removeReport(join(folder, name));
  }
}

/** Removes all reports but the newest. */
async function removeOld(folder: string, keep: number): Promise<void> {
  for (const name of (await reportsIn(folder)).slice(0, -keep)) {
    await removeReport(join(folder, name));
  }
}
