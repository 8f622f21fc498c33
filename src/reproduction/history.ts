/**
 * The history of checks: a table with one row a check, and what can be read off it.
 *
 * @module
 */

import { parse } from "csv-parse/sync";
import { join } from "node:path";
import { messageOf, UsageError } from "../base/errors.ts";
import { csvText } from "../base/csv.ts";
import { writeWhole } from "../base/files.ts";

/** What a check found. `failed`: it could not be finished. */
export type Verdict = "identical" | "within tolerance" | "drifted" | "missing" | "failed";

/** One check of one run. All are texts, as in the table. */
export interface HistoryRow {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly run: string;
  readonly verdict: string;
  /** Largest distance of two numbers; empty where nothing was compared. */
  readonly largest_difference: string;
  readonly tolerance: string;
  /** Where the first drift is. */
  readonly where: string;
  /** Why it could be, separated by "; ". */
  readonly reasons: string;
  /** Those of the reasons that are inputs, changed or missing, as a JSON list; empty where there are none. */
  readonly inputs: string;
  readonly emocam: string;
  readonly commit: string;
  readonly deno: string;
  readonly runtime: string;
  readonly backend: string;
  readonly adapter: string;
  readonly machine: string;
  /** Folder of the report, relative to the table. */
  readonly report: string;
}

const COLUMNS: readonly (keyof HistoryRow)[] = [
  ...["time", "run", "verdict", "largest_difference", "tolerance", "where", "reasons"] as const,
  "inputs",
  ...["emocam", "commit", "deno", "runtime", "backend", "adapter", "machine", "report"] as const,
];
/** What a verdict can have changed on. */
const CIRCUMSTANCES = [
  "emocam",
  "commit",
  "deno",
  "runtime",
  "backend",
  "adapter",
  "machine",
] as const;

/** Name of the table. */
export const HISTORY_FILE = "history.csv";

/** The rows of a folder's history, oldest first; none if there is no table yet. @throws {UsageError} when it is not a history. */
export async function readHistory(folder: string): Promise<HistoryRow[]> {
  const path = join(folder, HISTORY_FILE);
  const refuse = (why: string) =>
    new UsageError(
      `Cannot continue the history ${path}: ${why}; move it away to begin a new one`,
    );
  let rows: Record<string, string>[];
  try {
    rows = parse(await Deno.readTextFile(path), { columns: true, bom: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw refuse(messageOf(error));
  }
  if (rows.some(({ time, run, verdict }) => !time || !run || !verdict)) {
    throw refuse("it lacks the columns time, run and verdict");
  }
  const added = Object.keys(rows[0] ?? {}).find((name) => !COLUMNS.some((own) => own === name));
  if (added !== undefined) {
    throw refuse(`its column ${JSON.stringify(added)} is not emocam's, and would be lost`);
  }
  return rows.map((row) =>
    Object.fromEntries(COLUMNS.map((name) => [name, row[name] ?? ""])) as unknown as HistoryRow
  );
}

/** Adds rows to a folder's history. The table is there as a whole at every moment. */
export async function appendHistory(folder: string, rows: readonly HistoryRow[]): Promise<void> {
  const all = [...await readHistory(folder), ...rows];
  await writeWhole(
    join(folder, HISTORY_FILE),
    csvText([COLUMNS, ...all.map((row) => COLUMNS.map((name) => row[name]))]),
  );
}

/**
 * What the history says of one run in a line: since when it has its verdict, and on what that changed.
 *
 * `the same verdict (identical) for 12 weeks, 12 checks`;
 * `drifted since 2026-10-04, 1 check; before that identical for 12 weeks, 12 checks; changed on runtime onnxruntime-node 1.31.0 (was …)`.
 *
 * @param rows of that run, oldest first, at least one
 */
export function historyLine(rows: readonly HistoryRow[]): string {
  const now = lastStreak(rows);
  const before = rows.slice(0, rows.length - now.length);
  const verdict = now[0].verdict;
  if (before.length === 0) {
    return now.length === 1
      ? `${verdict}, the first check`
      : `the same verdict (${verdict}) for ${span(now)}`;
  }
  const earlier = lastStreak(before);
  const [last, first] = [earlier.at(-1)!, now[0]];
  const changes = CIRCUMSTANCES.filter((name) => last[name] !== first[name])
    .map((name) => `${name} ${first[name] || "(none)"} (was ${last[name] || "none"})`);
  // Inputs are told before versions: with another image, that a version changed as well explains nothing.
  const known = inputsOf(last);
  const inputs = inputsOf(first).filter((reason) => !known.includes(reason));
  const told = [...inputs, ...changes];
  const cause = told.length > 0 ? told.join(", ") : first.reasons || "nothing that is recorded";
  return `${verdict} since ${first.time.slice(0, 10)}, ${checks(now.length)}; ` +
    `before that the same verdict (${last.verdict}) for ${span(earlier)}; changed on ${cause}`;
}

/** The reasons of a check that are inputs; none in rows of versions that did not write them. */
function inputsOf({ inputs }: HistoryRow): readonly string[] {
  return inputs === "" ? [] : JSON.parse(inputs);
}

/** The newest rows that have one verdict. */
function lastStreak(rows: readonly HistoryRow[]): readonly HistoryRow[] {
  const verdict = rows.at(-1)?.verdict;
  const other = rows.findLastIndex((row) => row.verdict !== verdict);
  return rows.slice(other + 1);
}

/** From the first to the last check of a streak: `12 weeks, 13 checks`. */
function span(rows: readonly HistoryRow[]): string {
  const days = (Date.parse(rows.at(-1)!.time) - Date.parse(rows[0].time)) / 86_400_000;
  const [amount, unit] = days >= 14
    ? [Math.floor(days / 7), "week"]
    : days >= 1
    ? [Math.floor(days), "day"]
    : days * 24 >= 1
    ? [Math.floor(days * 24), "hour"]
    : [0, ""];
  const time = amount > 0 ? `${amount} ${unit}${amount === 1 ? "" : "s"}, ` : "";
  return `${time}${checks(rows.length)}`;
}

function checks(count: number): string {
  return count === 1 ? "1 check" : `${count} checks`;
}
