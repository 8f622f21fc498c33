/**
 * Files that a reader never meets half written, and what a path leads to.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { writeProblem } from "./errors.ts";

/** Bytes written at once: Deno copies what it is given, and a model has hundreds of megabytes. */
const PIECE = 2 ** 22;

/** Who keeps a record of the files of a folder. */
export interface Owner {
  /**
   * Called when a file is whole and about to be put in its place.
   *
   * @returns "replaced", or "as it is" when the file that is there stays.
   * @throws {UsageError} when what is there must not be replaced.
   */
  place(temporary: string, sha256: string): "replaced" | "as it is";
}

/**
 * A file that appears under its name only when it is whole: it is written beside its place under a temporary name, then renamed. An older
 * file of the name stays as it was until then, and for good if this one is abandoned.
 */
export class WholeFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: Deno.FsFile;
  readonly #owner: Owner | undefined;
  readonly #hash = createHash("sha256");

  /** Begins a file. @throws what Deno does when it cannot be made. */
  constructor(path: string, owner?: Owner) {
    this.#path = path;
    this.#owner = owner;
    this.#temporary = `${path}.${crypto.randomUUID()}.tmp`;
    try {
      this.#file = Deno.openSync(this.#temporary, { write: true, createNew: true });
    } catch (error) {
      throw writeProblem(error, path);
    }
  }

  async write(content: Uint8Array | string): Promise<void> {
    const bytes = bytesOf(content);
    if (this.#owner) this.#hash.update(bytes);
    try {
      for (let done = 0; done < bytes.length;) {
        done += await this.#file.write(bytes.subarray(done, done + PIECE));
      }
    } catch (error) {
      throw writeProblem(error, this.#path);
    }
  }

  writeSync(content: Uint8Array | string): void {
    const bytes = bytesOf(content);
    if (this.#owner) this.#hash.update(bytes);
    try {
      for (let done = 0; done < bytes.length;) {
        done += this.#file.writeSync(bytes.subarray(done, done + PIECE));
      }
    } catch (error) {
      throw writeProblem(error, this.#path);
    }
  }

  /** Puts the file in its place. @throws what Deno does when that fails, or its owner; then nothing is left of it. */
  finish(): void {
    this.#file.close();
    try {
      if (this.#owner?.place(this.#temporary, this.#hash.digest("hex")) === "as it is") {
        this.#remove();
        return;
      }
      Deno.renameSync(this.#temporary, this.#path);
    } catch (error) {
      this.#remove();
      throw writeProblem(error, this.#path);
    }
  }

  /** Leaves nothing of the file. */
  abandon(): void {
    this.#file.close();
    this.#remove();
  }

  #remove(): void {
    try {
      Deno.removeSync(this.#temporary);
    } catch {
      // What led here says more.
    }
  }
}

/** Writes a file whole: see {@linkcode WholeFile}. Parts are written one after the other. */
export async function writeWhole(
  path: string,
  content: Uint8Array | string | readonly Uint8Array[],
): Promise<void> {
  const file = new WholeFile(path);
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

function bytesOf(content: Uint8Array | string): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

/** What is at a path; `undefined` where nothing is. @throws what Deno does when it cannot be looked at. */
export async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

/** Whether there is a file at a path, or a link to one. What cannot be looked at is none. */
export async function isFile(path: string): Promise<boolean> {
  return (await statOf(path).catch(() => undefined))?.isFile ?? false;
}

/** Whether there is a folder at a path, or a link to one. What cannot be looked at is none. */
export async function isFolder(path: string): Promise<boolean> {
  return (await statOf(path).catch(() => undefined))?.isDirectory ?? false;
}

/** A path that starts from a folder where it is relative; from the working directory where there is no such folder. */
export function pathFrom(base: string | undefined, path: string): string {
  return base === undefined ? path : resolve(base, path);
}

/** Whether two paths are one place, links followed. */
export async function samePlace(a: string, b: string): Promise<boolean> {
  const [own, other] = await Promise.all(
    [a, b].map((path) => Deno.realPath(path).catch(() => resolve(path))),
  );
  return own === other;
}
