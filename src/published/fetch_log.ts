/**
 * The two tables that a corpus being fetched has beside its images: `manifest.csv` and `failures.csv`. Rows are added as they come, so that
 * a call that is killed loses none; a call that ends writes them in order.
 *
 * @module
 */

import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { compareCodePoints } from "../base/code_points.ts";
import { messageOf, UsageError } from "../base/errors.ts";
import type { Downloaded } from "../download/download.ts";
import type { ImageAddresses } from "./image_addresses.ts";
import { digest } from "./model_files.ts";
import { writeWhole } from "../base/files.ts";

/** Why an address did not give an image. */
export interface Failure {
  readonly url: string;
  /** Whether it may work another time. */
  readonly kind: "transient" | "permanent";
  /** Of the HTTP answer, where there was one. */
  readonly status?: number;
  readonly reason: string;
}

interface Entry {
  readonly bytes: number;
  readonly sha256: string;
  /** Empty where the file was not fetched by this command. */
  readonly url: string;
}

const MANIFEST_HEADER = ["path", "bytes", "sha256", "url"];
const FAILURES_HEADER = ["path", "url", "kind", "status", "reason"];

/** The tables of one folder. */
export class FetchLog {
  readonly #manifest = new Map<string, Entry>();
  readonly #failures = new Map<string, Failure[]>();
  /** Files whose entry is from this call. */
  readonly #fresh = new Set<string>();
  #manifestFile: Deno.FsFile | undefined;
  #failuresFile: Deno.FsFile | undefined;

  private constructor(readonly folder: string) {}

  /** @throws {UsageError} when the folder cannot be made or written. */
  static async open(folder: string): Promise<FetchLog> {
    const log = new FetchLog(folder);
    try {
      await Deno.mkdir(folder, { recursive: true });
      for (const row of await rowsOf(log.#path("manifest.csv"), MANIFEST_HEADER)) {
        const [path, bytes, sha256, url] = row as [string, string, string, string];
        log.#manifest.set(path, { bytes: Number(bytes), sha256, url });
      }
      for (const row of await rowsOf(log.#path("failures.csv"), FAILURES_HEADER)) {
        const [path, url, kind, status, reason] = row as [string, string, string, string, string];
        const failure: Failure = {
          url,
          kind: kind === "permanent" ? kind : "transient",
          ...(status ? { status: Number(status) } : {}),
          reason,
        };
        const list = log.#failures.get(path);
        if (list) list.push(failure);
        else log.#failures.set(path, [failure]);
      }
      // Whole rows only, so that new ones can be added after them.
      await log.#write();
      log.#manifestFile = await Deno.open(log.#path("manifest.csv"), { append: true });
      log.#failuresFile = await Deno.open(log.#path("failures.csv"), { append: true });
    } catch (error) {
      log.close();
      throw new UsageError(
        `Cannot write the corpus in ${folder}: ${
          messageOf(error)
        }; choose another folder with --out`,
      );
    }
    return log;
  }

  #path(name: string): string {
    return join(this.folder, name);
  }

  /** Whether an earlier call found all addresses of an image gone for good. */
  isGone(path: string, urls: readonly string[]): boolean {
    const failures = this.#failures.get(path) ?? [];
    return urls.every((url) =>
      failures.some((failure) => failure.url === url && failure.kind === "permanent")
    );
  }

  fetched(path: string, { bytes, sha256, url }: Downloaded): void {
    this.#manifest.set(path, { bytes, sha256, url });
    this.#fresh.add(path);
    this.#failures.delete(path);
    append(this.#manifestFile!, manifestRow(path, { bytes, sha256, url }));
  }

  failed(path: string, failures: readonly Failure[]): void {
    this.#failures.set(path, [...failures]);
    for (const failure of failures) append(this.#failuresFile!, failureRow(path, failure));
  }

  /** Writes the tables in order: of every image of the list, what is there now. */
  async finish(images: readonly ImageAddresses[]): Promise<void> {
    this.close();
    const listed = new Set(images.map(({ path }) => path));
    for (const path of [...this.#manifest.keys()]) {
      if (!listed.has(path)) this.#manifest.delete(path);
    }
    for (const path of [...this.#failures.keys()]) {
      if (!listed.has(path)) this.#failures.delete(path);
    }
    for (const path of listed) {
      if (this.#fresh.has(path)) continue;
      try {
        const found = await digest(join(this.folder, path));
        const known = this.#manifest.get(path);
        // A file that is another than was fetched is not from that address.
        this.#manifest.set(path, {
          ...found,
          url: known?.sha256 === found.sha256 ? known.url : "",
        });
        this.#failures.delete(path);
      } catch (error) {
        if (
          !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)
        ) {
          throw error;
        }
        this.#manifest.delete(path);
      }
    }
    await this.#write();
  }

  async #write(): Promise<void> {
    const inOrder = <T>(map: ReadonlyMap<string, T>) =>
      [...map].sort(([a], [b]) => compareCodePoints(a, b));
    const manifest = inOrder(this.#manifest).map(([path, entry]) => manifestRow(path, entry));
    const failures = inOrder(this.#failures).flatMap(([path, list]) =>
      list.map((failure) => failureRow(path, failure))
    );
    await writeWhole(this.#path("manifest.csv"), csv([MANIFEST_HEADER, ...manifest]));
    await writeWhole(this.#path("failures.csv"), csv([FAILURES_HEADER, ...failures]));
  }

  close(): void {
    this.#manifestFile?.close();
    this.#failuresFile?.close();
    this.#manifestFile = this.#failuresFile = undefined;
  }
}

type Row = readonly (string | number | undefined)[];

function manifestRow(path: string, { bytes, sha256, url }: Entry): Row {
  return [path, bytes, sha256, url];
}

function failureRow(path: string, { url, kind, status, reason }: Failure): Row {
  return [path, url, kind, status, reason];
}

function csv(rows: readonly Row[]): string {
  return stringify(rows as unknown[][]);
}

function append(file: Deno.FsFile, row: Row): void {
  const bytes = new TextEncoder().encode(csv([row]));
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

/** The whole rows of a table; a last one that was cut off by a kill is left out. */
async function rowsOf(path: string, header: readonly string[]): Promise<string[][]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const rows: string[][] = parse(text.slice(0, text.lastIndexOf("\n") + 1), {
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_records_with_error: true,
  });
  if (rows.length > 0 && rows[0].join() !== header.join()) {
    throw new Error(`its header is ${rows[0].join()}, not ${header.join()}`);
  }
  return rows.slice(1).filter((row) => row.length === header.length);
}
