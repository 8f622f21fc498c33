/**
 * A ledger that runs share: `analyze --cache FOLDER`.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { inspectLedger, pruneLedger } from "../ledger/prune.ts";
import { inspectFile } from "../ledger/file.ts";
import { prepareFolder, takeFolder } from "./folder.ts";
import { flag } from "../base/flag.ts";

/** Name of a ledger in its folder. */
export const LEDGER_FILE = "ledger.sqlite";

/** Name of the copy of its part of a shared ledger, in a run's folder. */
export const RUN_LEDGER_FILE = "run.sqlite";

/** A shared ledger, for this process alone until it is disposed of. */
export interface SharedCache extends Disposable {
  /** Path of the ledger. */
  readonly ledger: string;
  /** Lines that a user should see. */
  readonly remarks: readonly string[];
}

/**
 * Takes the cache of a run, where it has one, and first brings it down to its largest size.
 *
 * One run at a time works with a cache: in a ledger, images of one name are one image, so that of two runs with different folders one
 * could list the other's.
 *
 * @param options.fresh computes everything anew: then there is no cache
 * @throws {UsageError} when the folder cannot be written to, or another process holds it.
 */
export async function holdCache(
  { out, cache, cacheLimit, fresh }: {
    readonly out: string;
    readonly cache?: string | undefined;
    /** MiB */
    readonly cacheLimit?: number | undefined;
    readonly fresh?: boolean | undefined;
  },
): Promise<SharedCache | undefined> {
  if (cache === undefined || fresh) return undefined;
  // The run's own folder: what it keeps is found there anyway.
  if (resolve(cache) === resolve(out)) return undefined;
  await prepareFolder(flag("cache"), cache);
  const ledger = join(cache, LEDGER_FILE);
  const lock = takeFolder(cache, "analyze");
  const remarks = [...lock.remarks];
  try {
    if (cacheLimit !== undefined && inspectFile(ledger) === "a ledger") {
      const maxBytes = cacheLimit * 2 ** 20;
      if (inspectLedger(ledger).bytes > maxBytes) {
        const { bytesBefore, bytesAfter } = pruneLedger(ledger, { maxBytes });
        const size = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
        remarks.push(
          `note: the cache was over ${flag("cacheLimit")} ${cacheLimit} MiB: ${
            size(bytesBefore)
          } became ${size(bytesAfter)}`,
        );
      }
    }
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
  return { ledger, remarks, [Symbol.dispose]: () => lock[Symbol.dispose]() };
}
