/**
 * `cache list` and `cache prune`.
 *
 * @module
 */

import { join } from "node:path";
import { messageOf, UsageError } from "../../base/errors.ts";
import { inspectLedger, type LedgerUse, pruneLedger } from "../../ledger/prune.ts";
import { inspectFile } from "../../ledger/file.ts";
import { textTable } from "../terminal.ts";
import { legible } from "../../base/legible.ts";
import { plural } from "../../base/number_text.ts";

/** Where runs go by default. */
const RUNS = "runs";

/** Prints the ledgers of some folders. @returns the exit status. @throws {UsageError} when a path does not exist. */
export async function listCaches(
  paths: readonly string[],
  options: { readonly json?: boolean },
): Promise<number> {
  const { ledgers, unreadable } = await ledgersOf(paths);
  if (options.json) {
    console.log(JSON.stringify(ledgers, null, 1));
  } else {
    for (const ledger of ledgers) printLedger(ledger);
    const total = ledgers.reduce((sum, { bytes }) => sum + bytes, 0);
    console.log(`${plural(ledgers.length, "ledger")}, ${mebibytes(total)} MiB`);
  }
  for (const line of unreadable) console.error(line);
  return 0;
}

/**
 * Drops results from the ledgers of some folders.
 *
 * @returns the exit status: 1 when a ledger could not be pruned.
 * @throws {UsageError} when nothing says what to drop, or a path does not exist.
 */
export async function pruneCaches(
  paths: readonly string[],
  { olderThan, largerThan }: { readonly olderThan?: number; readonly largerThan?: number },
): Promise<number> {
  if (olderThan === undefined && largerThan === undefined) {
    throw new UsageError(
      "Cannot prune: neither an age nor a size was given; give --older-than 30d, --larger-than MiB, or both",
    );
  }
  const { ledgers, unreadable } = await ledgersOf(paths);
  const before = olderThan === undefined ? undefined : new Date(Date.now() - olderThan);
  let freed = 0, failed = unreadable.length;
  for (const { path } of ledgers) {
    try {
      const { bytesBefore, bytesAfter, dropped } = pruneLedger(path, {
        ...before ? { before: before.toISOString() } : {},
        ...largerThan === undefined ? {} : { maxBytes: largerThan * 2 ** 20 },
      });
      freed += bytesBefore - bytesAfter;
      const what = Object.entries(dropped).map(([name, count]) => `${count} ${name}`).join(", ");
      console.log(
        `${legible(path)}: ${what ? `dropped ${what}` : "nothing to drop"}; ` +
          `${mebibytes(bytesBefore)} → ${mebibytes(bytesAfter)} MiB`,
      );
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      failed++;
      console.error(messageOf(error));
    }
  }
  for (const line of unreadable) console.error(line);
  console.log(`${plural(ledgers.length, "ledger")}, ${mebibytes(freed)} MiB freed`);
  return failed > 0 ? 1 : 0;
}

/** The ledgers in some places, and a line for each that cannot be read. */
async function ledgersOf(
  paths: readonly string[],
): Promise<{ ledgers: LedgerUse[]; unreadable: string[] }> {
  const found = new Map<string, string>();
  const shared = Deno.env.get("EMOCAM_CACHE");
  const places = paths.length > 0 ? paths : [RUNS, ...shared ? [shared] : []];
  for (const place of places) {
    const info = await Deno.stat(place).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      if (paths.length > 0) {
        throw new UsageError(
          `Cannot look into ${JSON.stringify(place)}: there is no such file or folder`,
        );
      }
      return undefined;
    });
    if (info?.isFile) found.set(await Deno.realPath(place), place);
    if (!info?.isDirectory) continue;
    for await (const path of databasesIn(place)) found.set(await Deno.realPath(path), path);
  }
  const ledgers: LedgerUse[] = [], unreadable: string[] = [];
  for (const path of [...found.values()].sort()) {
    try {
      ledgers.push(inspectLedger(path));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      unreadable.push(messageOf(error));
    }
  }
  return { ledgers, unreadable };
}

/** The ledgers below a folder; links are not followed. */
async function* databasesIn(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* databasesIn(path);
    else if (isFile && name.endsWith(".sqlite") && inspectFile(path) === "a ledger") yield path;
  }
}

function printLedger({ path, bytes, runs, pictures, lastUsed, stages }: LedgerUse): void {
  const day = (time?: string) => time?.slice(0, 10) ?? "never";
  console.log(
    `${legible(path)}: ${mebibytes(bytes)} MiB, ${plural(runs, "run")}, ${
      plural(pictures, "picture")
    }, last used ${day(lastUsed)}`,
  );
  if (stages.length === 0) return console.log("");
  const columns = ["stage", "settings", "rows", "MiB", "activations MiB", "last used"];
  const rows = stages.map((stage) => [
    legible(stage.name),
    legible(stage.fingerprint.slice(0, 7)),
    String(stage.rows),
    mebibytes(stage.bytes),
    stage.activationBytes > 0 ? mebibytes(stage.activationBytes) : "",
    day(stage.lastUsed),
  ]);
  console.log(textTable(columns, rows) + "\n");
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(2);
}
