/**
 * Which files of a folder emocam wrote itself: only those are ever replaced or removed.
 *
 * A folder that is written to has a record beside its files, one JSON line a file, added before the file appears under its name, so that
 * it is complete whenever a process is killed. A file counts as ours while its size and time, or else its SHA-256, are those of a line; once
 * a user has edited or replaced it, it is the user's.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { compareCodePoints } from "./code_points.ts";
import { UsageError, writeProblem } from "./errors.ts";
import { type Owner, WholeFile } from "./files.ts";

/** Name of the record in a folder. */
export const RECORD_FILE = ".emocam.files";

/** Bytes read at once. */
const PIECE = 2 ** 20;

/** A file as it was written. */
interface Written {
  /** Its path in the folder, with forward slashes. */
  readonly file: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly sha256: string;
}

/** What is at a path: nothing, a file as emocam wrote it, or anything else. */
export type Found = "nothing" | "ours" | "foreign";

/** A file that emocam did not write has the name of one that it would write. */
export class ForeignFileError extends UsageError {
  override name = "ForeignFileError";
  constructor(folder: string, readonly file: string, readonly reason: string) {
    super(
      `Cannot write ${
        join(folder, file)
      }: what is there ${reason}; move it away, or give another folder`,
    );
  }
}

/** A folder with the record of what emocam wrote there. */
export class OwnedFolder {
  /** All that is known to have been written under a name, the newest last: the file is one of these. */
  readonly #known: Map<string, Written[]>;
  /** SHA-256 of what was written since the folder was opened. */
  readonly #written = new Map<string, string>();

  /** Opens a folder, which need not exist. @throws what Deno does when its record cannot be read. */
  constructor(readonly folder: string) {
    this.#known = readRecord(folder);
  }

  /** Names of the files on record, in order; some may be gone. */
  names(): string[] {
    return [...this.#known.keys()].sort(compareCodePoints);
  }

  /** SHA-256 of the files written since the folder was opened, by name, in order. */
  written(): Record<string, string> {
    return Object.fromEntries(
      [...this.#written].sort(([a], [b]) => compareCodePoints(a, b)),
    );
  }

  /** What is at a name. A link is foreign, wherever it leads: we make none. */
  find(name: string): Found {
    const path = join(this.folder, name);
    const info = entryAt(path);
    if (!info) return "nothing";
    const known = this.#known.get(name);
    if (!known || !info.isFile) return "foreign";
    const time = info.mtime?.getTime();
    const likely = known.filter(({ bytes }) => bytes === info.size);
    if (likely.some((own) => own.time === time)) return "ours";
    if (likely.length === 0) return "foreign";
    const hash = hashFile(path);
    return likely.some(({ sha256 }) => sha256 === hash) ? "ours" : "foreign";
  }

  /** Begins a file of the folder; sub-folders are made. It may only replace one of ours: see {@linkcode WholeFile}. */
  file(name: string): WholeFile {
    Deno.mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    return this.begin(name);
  }

  /** Begins a file in a folder that exists. */
  begin(name: string): WholeFile {
    return new WholeFile(join(this.folder, name), this.#owner(name));
  }

  /** Writes a file of the folder whole. @throws {UsageError} when another file than ours is there. */
  async write(
    name: string,
    content: Uint8Array | string | readonly Uint8Array[],
  ): Promise<void> {
    const file = this.file(name);
    try {
      const parts = typeof content === "string" || content instanceof Uint8Array
        ? [content]
        : content;
      for (const part of parts) await file.write(part);
    } catch (error) {
      file.abandon();
      throw error;
    }
    file.finish();
  }

  /**
   * Looks whether a file could be written. One that says the same already is as good as ours, and stays its user's.
   *
   * @returns what is at its name; "foreign" only with the same content.
   * @throws {UsageError} when another file than ours is there.
   */
  refuseOther(name: string, sha256: string): Found {
    const found = this.find(name);
    if (found !== "foreign") return found;
    const path = join(this.folder, name);
    if (entryAt(path)?.isFile && hashFile(path) === sha256) return found;
    throw new ForeignFileError(
      this.folder,
      name,
      this.#known.has(name) ? "was changed after emocam wrote it" : "was not written by emocam",
    );
  }

  /** Takes a file that is there for ours: one that an earlier version wrote, which kept no record. */
  adopt(name: string): void {
    const path = join(this.folder, name);
    const { size, mtime } = Deno.lstatSync(path);
    this.#add({ file: name, bytes: size, time: mtime?.getTime() ?? 0, sha256: hashFile(path) });
  }

  /**
   * Removes what is on record, was not written since the folder was opened, and is as it was written; and sub-folders that this empties.
   *
   * @param which files are meant, by name
   * @returns the names of those that were changed since they were written, and stay.
   */
  removeOthers(which: (name: string) => boolean): string[] {
    const changed: string[] = [];
    const emptied = new Set<string>();
    let removed = 0;
    for (const name of [...this.#known.keys()]) {
      if (this.#written.has(name) || !which(name)) continue;
      const found = this.find(name);
      if (found === "ours") {
        Deno.removeSync(join(this.folder, name));
        removed++;
        for (let at = dirname(name); at !== "."; at = dirname(at)) emptied.add(at);
      } else if (found === "foreign") changed.push(name);
      this.#known.delete(name);
    }
    // The deepest first.
    for (const name of [...emptied].sort((a, b) => b.length - a.length)) {
      removeIfEmpty(join(this.folder, name));
    }
    if (removed + changed.length > 0) this.tidy();
    return changed;
  }

  /** Writes the record anew, without lines that later ones or removals have overtaken. For one process at a time. */
  tidy(): void {
    const path = join(this.folder, RECORD_FILE);
    if (!entryAt(path)) return;
    const file = new WholeFile(path);
    try {
      for (const [name, all] of this.#known) {
        for (const line of this.#written.has(name) ? all.slice(-1) : all) {
          file.writeSync(`\n${JSON.stringify(line)}`);
        }
      }
    } catch (error) {
      file.abandon();
      throw error;
    }
    file.finish();
  }

  /** Removes all files of ours, the record, and the folder if nothing else is in it. */
  removeAll(): void {
    this.#written.clear();
    this.removeOthers(() => true);
    const path = join(this.folder, RECORD_FILE);
    if (entryAt(path)) Deno.removeSync(path);
    removeIfEmpty(this.folder);
  }

  #owner(name: string): Owner {
    return {
      place: (temporary, sha256) => {
        const found = this.refuseOther(name, sha256);
        this.#written.set(name, sha256);
        if (found === "foreign") return "as it is";
        const { size, mtime } = Deno.statSync(temporary);
        this.#add({ file: name, bytes: size, time: mtime?.getTime() ?? 0, sha256 });
        return "replaced";
      },
    };
  }

  #add(line: Written): void {
    const path = join(this.folder, RECORD_FILE);
    let file: Deno.FsFile | undefined;
    try {
      file = Deno.openSync(path, { append: true, create: true });
      // The line end first: a line that was cut off spoils no other one.
      let bytes = new TextEncoder().encode(`\n${JSON.stringify(line)}`);
      while (bytes.length > 0) bytes = bytes.subarray(file.writeSync(bytes));
    } catch (error) {
      throw writeProblem(error, path);
    } finally {
      file?.close();
    }
    const all = this.#known.get(line.file);
    if (all) all.push(line);
    else this.#known.set(line.file, [line]);
  }
}

/** What is at a path itself, links not followed. */
export function entryAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

function readRecord(folder: string): Map<string, Written[]> {
  const known = new Map<string, Written[]>();
  let text = "";
  try {
    text = Deno.readTextFileSync(join(folder, RECORD_FILE));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return known;
    }
    throw error;
  }
  for (const line of text.split("\n")) {
    const own = parseLine(line);
    if (!own) continue;
    const all = known.get(own.file);
    if (all) all.push(own);
    else known.set(own.file, [own]);
  }
  return known;
}

/** A line of a record; nothing for one that a killed process or a full disk cut off, or that names a place outside the folder. */
function parseLine(line: string): Written | undefined {
  try {
    const { file, bytes, time, sha256 } = JSON.parse(line);
    const whole = typeof file === "string" && typeof bytes === "number" &&
      typeof time === "number" && typeof sha256 === "string";
    if (!whole || /^([\\/]|[a-z]:)|(^|[\\/])\.\.([\\/]|$)/i.test(file)) return undefined;
    return { file, bytes, time, sha256 };
  } catch {
    return undefined;
  }
}

function hashFile(path: string): string {
  using file = Deno.openSync(path);
  const hash = createHash("sha256");
  const buffer = new Uint8Array(PIECE);
  for (let read: number | null; (read = file.readSync(buffer)) !== null;) {
    hash.update(buffer.subarray(0, read));
  }
  return hash.digest("hex");
}

function removeIfEmpty(folder: string): void {
  try {
    for (const _ of Deno.readDirSync(folder)) return;
    Deno.removeSync(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
  }
}
