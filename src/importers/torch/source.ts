/**
 * Where the bytes of a checkpoint come from: a file read at positions, or bytes in memory.
 *
 * A file of weights is as large as the model, so nothing here reads it whole: the reader looks at the directory and the
 * pickle, and each tensor's bytes are fetched when that tensor is asked for.
 *
 * @module
 */

import { messageOf, ModelError, UsageError } from "../../base/errors.ts";

/** Bytes at positions, with a name for error messages. */
export abstract class ByteSource {
  constructor(readonly name: string, readonly length: number) {}

  /** Fills `into` from `offset` on; the caller has checked that the bytes are there. */
  protected abstract fill(offset: number, into: Uint8Array): void;

  /**
   * The bytes from `offset` on, as a fresh array.
   *
   * @throws {ModelError} when they do not all lie inside the source (nothing is allocated then).
   */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.length)) {
      this.refuse(
        `it ends at byte ${this.length}, but ${length} bytes are announced at ${offset}`,
        "it is cut short or damaged: fetch it again",
      );
    }
    const bytes = new Uint8Array(length);
    if (length > 0) this.fill(offset, bytes);
    return bytes;
  }

  /** @throws {ModelError} "Cannot read NAME: what was met; what to do". */
  refuse(met: string, advice: string): never {
    throw new ModelError(`Cannot read ${this.name}: ${met}; ${advice}`);
  }
}

/**
 * A file. Between readings it is closed, so that a state dict holds no handle that a caller could forget; a file that was
 * changed meanwhile is refused.
 */
export class FileSource extends ByteSource {
  #handle: Deno.FsFile | undefined;
  readonly #modified: number | undefined;

  private constructor(readonly path: string, length: number, modified: number | undefined) {
    super(path, length);
    this.#modified = modified;
  }

  /** @throws {UsageError} when there is no such file, or it cannot be opened. */
  static at(path: string): FileSource {
    try {
      const { isFile, size, mtime } = Deno.statSync(path);
      if (isFile) return new FileSource(path, size, mtime?.getTime());
    } catch (error) {
      throw new UsageError(
        `Cannot open ${path}: ${messageOf(error)}; give a .pth file that can be read`,
      );
    }
    throw new UsageError(`Cannot open ${path}: it is not a file; give a .pth file`);
  }

  /** Keeps the file open while `work` reads many small pieces of it. */
  whileOpen<T>(work: () => T): T {
    this.#handle = this.#open();
    try {
      return work();
    } finally {
      this.#handle.close();
      this.#handle = undefined;
    }
  }

  protected override fill(offset: number, into: Uint8Array): void {
    const handle = this.#handle ?? this.#open();
    try {
      handle.seekSync(offset, Deno.SeekMode.Start);
      for (let filled = 0; filled < into.length;) {
        const count = handle.readSync(into.subarray(filled));
        if (count === null) this.#changed();
        filled += count;
      }
    } finally {
      if (handle !== this.#handle) handle.close();
    }
  }

  #open(): Deno.FsFile {
    let handle: Deno.FsFile;
    try {
      handle = Deno.openSync(this.path);
    } catch (error) {
      throw new UsageError(
        `Cannot open ${this.path}: ${messageOf(error)}; give a .pth file that can be read`,
      );
    }
    const { size, mtime } = handle.statSync();
    if (size !== this.length || mtime?.getTime() !== this.#modified) {
      handle.close();
      this.#changed();
    }
    return handle;
  }

  #changed(): never {
    this.refuse("it was changed while it was being read", "try again when nothing writes to it");
  }
}

const WINDOW = 1 << 16;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a stretch of a source from front to back through a small window. */
export class Cursor {
  #window = new Uint8Array(0);
  #at = 0;
  #next: number;

  constructor(readonly source: ByteSource, start: number, readonly end: number) {
    this.#next = start;
  }

  /** Offset in the source of the next byte. */
  get position(): number {
    return this.#next - (this.#window.length - this.#at);
  }

  get left(): number {
    return this.end - this.position;
  }

  byte(): number {
    if (this.#at === this.#window.length) this.#refill(1);
    return this.#window[this.#at++];
  }

  /** The next bytes, as a view that the next call may overwrite. Their presence is checked before anything is allocated. */
  take(length: number): Uint8Array {
    if (this.#window.length - this.#at < length) this.#refill(length);
    this.#at += length;
    return this.#window.subarray(this.#at - length, this.#at);
  }

  skip(length: number): void {
    if (!(length <= this.left)) this.#short(length);
    if (length <= this.#window.length - this.#at) {
      this.#at += length;
      return;
    }
    const position = this.position + length;
    this.#window = new Uint8Array(0);
    this.#at = 0;
    this.#next = position;
  }

  /** An unsigned little-endian integer of 1 to 8 bytes; rounded beyond 2^53, which no length in a real file reaches. */
  unsigned(bytes: number): number {
    const view = this.take(bytes);
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + view[i];
    return value;
  }

  /** UTF-8 text of so many bytes. */
  text(length: number): string {
    const bytes = this.take(length);
    try {
      return UTF8.decode(bytes);
    } catch {
      return this.source.refuse(
        `the text at byte ${this.position - length} is not UTF-8`,
        "it is damaged: fetch it again",
      );
    }
  }

  /** Text up to a line feed, which is consumed; at most `limit` bytes. */
  line(limit: number): string {
    if (this.#window.length - this.#at <= limit && this.left > this.#window.length - this.#at) {
      this.#refill(Math.min(limit + 1, this.left));
    }
    const length = this.#window.subarray(this.#at, this.#at + limit + 1).indexOf(0x0a);
    if (length < 0) {
      if (this.left <= limit) this.#short(this.left + 1);
      this.source.refuse(`a name longer than ${limit} bytes`, "it is damaged or hostile");
    }
    const text = this.text(length);
    this.#at++;
    return text;
  }

  #refill(need: number): void {
    if (!(need <= this.left)) this.#short(need);
    const position = this.position;
    this.#window = this.source.read(position, Math.max(need, Math.min(WINDOW, this.left)));
    this.#at = 0;
    this.#next = position + this.#window.length;
  }

  #short(need: number): never {
    this.source.refuse(
      `its pickle needs ${need} more bytes at byte ${this.position}, and has ${this.left}`,
      "it is cut short or damaged: fetch it again",
    );
  }
}

/** Text from a file, fit for one line of a message: quoted, escaped, and cut. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
