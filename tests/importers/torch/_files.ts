/** Checkpoints put together by hand: pickles from instructions, zip archives from entries. */

import { stateDictOf, type TorchStateDict } from "../../../src/importers/torch/state_dict.ts";
import { ByteSource } from "../../../src/importers/torch/source.ts";

const utf8 = new TextEncoder();

/** Bytes of anything: text is Latin-1 instructions, arrays are laid end to end. */
export type Piece = string | Uint8Array | readonly Piece[];

export function bytesOf(...pieces: readonly Piece[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const walk = (piece: Piece) => {
    if (piece instanceof Uint8Array) parts.push(piece);
    else if (typeof piece === "string") parts.push(Uint8Array.from(piece, (c) => c.charCodeAt(0)));
    else for (const inner of piece) walk(inner);
  };
  pieces.forEach(walk);
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A little-endian integer of so many bytes. */
export function integer(value: number | bigint, bytes: number): Uint8Array {
  let rest = BigInt.asUintN(8 * bytes, BigInt(value));
  return Uint8Array.from({ length: bytes }, () => {
    const byte = Number(rest & 0xffn);
    rest >>= 8n;
    return byte;
  });
}

/** BINUNICODE. */
export function text(value: string): Piece {
  const encoded = utf8.encode(value);
  return ["X", integer(encoded.length, 4), encoded];
}

/** LONG1. */
export function int(value: number | bigint): Piece {
  return ["\x8a\x09", integer(value, 9)];
}

/** GLOBAL. */
export function word(module: string, name: string): Piece {
  return `c${module}\n${name}\n`;
}

export function tuple(...items: readonly Piece[]): Piece {
  return ["(", items, "t"];
}

export function dict(...items: readonly (readonly [Piece, Piece])[]): Piece {
  return ["}(", items, "u"];
}

/** A pickle of protocol 2 that leaves one value. */
export function pickle(...value: readonly Piece[]): Uint8Array<ArrayBuffer> {
  return bytesOf("\x80\x02", value, ".");
}

export const ORDERED: Piece = [word("collections", "OrderedDict"), ")R"];

export interface StorageOptions {
  readonly kind?: string;
  readonly module?: string;
  readonly legacy?: boolean;
}

/** The persistent id of a storage. */
export function storage(key: string, count: number | bigint, options: StorageOptions = {}): Piece {
  const { kind = "FloatStorage", module = "torch", legacy = false } = options;
  const items = [text("storage"), word(module, kind), text(key), text("cpu"), int(count)];
  return [tuple(...items, ...legacy ? ["N"] : []), "Q"];
}

/** `_rebuild_tensor_v2` of a storage. */
export function tensor(
  of: Piece,
  size: readonly (number | bigint)[],
  stride: readonly (number | bigint)[],
  offset: number | bigint = 0,
): Piece {
  return [
    word("torch._utils", "_rebuild_tensor_v2"),
    tuple(of, int(offset), tuple(...size.map(int)), tuple(...stride.map(int)), "\x89", ORDERED),
    "R",
  ];
}

export function floatBytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

export interface ZipOptions {
  readonly comment?: string;
  /** Sizes, offsets and the directory's place in zip64 fields only. */
  readonly zip64?: boolean;
}

/** A zip archive of stored entries; CRCs are 0. */
export function zip(
  entries: readonly (readonly [string, Uint8Array])[],
  { comment = "", zip64 = false }: ZipOptions = {},
): Uint8Array<ArrayBuffer> {
  const files: Piece[] = [];
  const directory: Piece[] = [];
  let offset = 0;
  for (const [name, data] of entries) {
    const raw = utf8.encode(name);
    // Version, flags, method, time, date, CRC.
    const head = [integer(20, 2), integer(0x800, 2), integer(0, 10)];
    const size = integer(zip64 ? 0xffffffff : data.length, 4);
    const extra = zip64
      ? bytesOf("\x01\x00\x18\x00", [data.length, data.length, offset].map((n) => integer(n, 8)))
      : new Uint8Array(0);
    const file = bytesOf(
      "PK\x03\x04",
      ...head,
      integer(0, 8),
      integer(raw.length, 2),
      integer(3, 2),
      raw,
      "pad",
      data,
    );
    directory.push([
      "PK\x01\x02",
      integer(20, 2),
      head,
      size,
      size,
      integer(raw.length, 2),
      integer(extra.length, 2),
      integer(0, 10),
      integer(zip64 ? 0xffffffff : offset, 4),
      raw,
      extra,
    ]);
    files.push(file);
    offset += file.length;
  }
  const listing = bytesOf(directory);
  const wide = zip64
    ? bytesOf(
      "PK\x06\x06",
      integer(44, 8),
      integer(0x002d002d, 4),
      integer(0, 8),
      [entries.length, entries.length, listing.length, offset].map((n) => integer(n, 8)),
      "PK\x06\x07",
      integer(0, 4),
      integer(offset + listing.length, 8),
      integer(1, 4),
    )
    : new Uint8Array(0);
  const count = integer(zip64 ? 0xffff : entries.length, 2);
  return bytesOf(
    files,
    listing,
    wide,
    "PK\x05\x06",
    integer(0, 4),
    count,
    count,
    integer(zip64 ? 0xffffffff : listing.length, 4),
    integer(zip64 ? 0xffffffff : offset, 4),
    integer(comment.length, 2),
    comment,
  );
}

/** A checkpoint in the zip container: a pickle and its storages by key. */
export function checkpoint(
  object: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  more: readonly (readonly [string, Uint8Array])[] = [],
): Uint8Array<ArrayBuffer> {
  return zip([
    ["a/data.pkl", object],
    ["a/version", bytesOf("3\n")],
    ...Object.entries(storages).map(([key, data]) => [`a/data/${key}`, data] as const),
    ...more,
  ]);
}

/** Bytes in memory. */
export class MemorySource extends ByteSource {
  constructor(name: string, readonly bytes: Uint8Array) {
    super(name, bytes.length);
  }

  protected override fill(offset: number, into: Uint8Array): void {
    into.set(this.bytes.subarray(offset, offset + into.length));
  }
}

/** The state dict of a file's bytes. */
export function readStateDictBytes(bytes: Uint8Array, name = "the state dict"): TorchStateDict {
  return stateDictOf(new MemorySource(name, bytes));
}
