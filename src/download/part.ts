/**
 * What has arrived of a file, on disk, with its running SHA-256.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import { messageOf, UsageError } from "../base/errors.ts";

/** What is remembered beside a part of a file: which file it is a part of. */
interface PartNote {
  readonly url: string;
  /** A strong ETag or a date, for `If-Range`. */
  readonly validator: string;
}

/** Bytes read at a time. */
const CHUNK = 1 << 20;
/** As much of a file's beginning as tells a web page from data. */
const HEAD_BYTES = 512;

/** The disk's own failures: no attempt helps. */
export class DiskError extends UsageError {}

/** The part of a file that has arrived: `FILE.part`. Only one process at a time can have it. */
export class Part {
  readonly path: string;
  length = 0;
  hash: Hash = createHash("sha256");
  #file: Deno.FsFile | undefined;
  #note: PartNote | undefined;
  readonly #notePath: string;

  constructor(file: string, readonly url: string) {
    this.path = `${file}.part`;
    this.#notePath = `${this.path}.json`;
  }

  /** Takes up what an earlier call left, if it is a part of the same file. */
  async open(): Promise<void> {
    try {
      this.#file = await Deno.open(this.path, { read: true, write: true, create: true });
    } catch (error) {
      throw this.#failed(error);
    }
    if (!await this.#file.tryLock(true)) {
      this.#file.close();
      this.#file = undefined;
      throw new UsageError(
        `Cannot write ${this.path}: another process is fetching this file; wait for it`,
      );
    }
    this.#note = await this.#readNote();
    if (this.#note?.url !== this.url) return await this.restart();
    const buffer = new Uint8Array(CHUNK);
    let read: number | null;
    while ((read = await this.#file.read(buffer)) !== null) {
      this.hash.update(buffer.subarray(0, read));
      this.length += read;
    }
  }

  async #readNote(): Promise<PartNote | undefined> {
    try {
      const { url, validator } = JSON.parse(await Deno.readTextFile(this.#notePath));
      return typeof url === "string" && typeof validator === "string"
        ? { url, validator }
        : undefined;
    } catch {
      return undefined;
    }
  }

  /** Asks for the rest, only if the file is still the one that this is a part of. */
  rangeHeaders(): Record<string, string> {
    if (this.length === 0 || !this.#note) return {};
    return { range: `bytes=${this.length}-`, "if-range": this.#note.validator };
  }

  /** Notes what file is coming, so that a later call can continue it. Without a strong validator it will start over. */
  async remember(url: string, { headers }: Response): Promise<void> {
    const etag = headers.get("etag");
    const validator = etag && !etag.startsWith("W/") ? etag : headers.get("last-modified");
    if (!validator) return await this.forget();
    this.#note = { url, validator };
    await Deno.writeTextFile(this.#notePath, JSON.stringify(this.#note));
  }

  /** Makes this part one that cannot be continued later. */
  async forget(): Promise<void> {
    this.#note = undefined;
    await removeIfThere(this.#notePath);
  }

  async append(chunk: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < chunk.length;) at += await this.#file!.write(chunk.subarray(at));
    } catch (error) {
      throw this.#failed(error);
    }
    this.hash.update(chunk);
    this.length += chunk.length;
  }

  /** Forgets what has arrived. */
  async restart(): Promise<void> {
    await this.#file!.truncate(0);
    await this.#file!.seek(0, Deno.SeekMode.Start);
    await this.forget();
    this.hash = createHash("sha256");
    this.length = 0;
  }

  /** The beginning, as text. */
  async head(): Promise<string> {
    const bytes = new Uint8Array(HEAD_BYTES);
    await this.#file!.seek(0, Deno.SeekMode.Start);
    const read = await this.#file!.read(bytes) ?? 0;
    await this.#file!.seek(0, Deno.SeekMode.End);
    return new TextDecoder().decode(bytes.subarray(0, read));
  }

  async moveTo(file: string): Promise<void> {
    this.#file!.close();
    this.#file = undefined;
    try {
      await Deno.rename(this.path, file);
    } catch (error) {
      throw this.#failed(error);
    }
    await removeIfThere(this.#notePath);
  }

  /** Lets go; a part that could not be continued is removed. */
  async close(): Promise<void> {
    if (!this.#file) return;
    this.#file.close();
    this.#file = undefined;
    if (this.length === 0 || !this.#note) {
      await removeIfThere(this.path);
      await removeIfThere(this.#notePath);
    }
  }

  #failed(error: unknown): DiskError {
    return new DiskError(
      `Cannot write ${this.path}: ${messageOf(error)}; make room, or choose another folder`,
    );
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
