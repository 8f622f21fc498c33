/** Reference cases of EmoNet's importers, and reading bytes as the importers read files. */

import assert from "node:assert/strict";
import { ModelError } from "../../../src/base/errors.ts";
import { sha256 } from "../../../src/base/json.ts";
import { decompressBzip2, type ReadBytes } from "../../../src/importers/emonet/bzip2.ts";
import { readWeights } from "../../../src/importers/emonet/matlab_folder.ts";
import { readMatrix } from "../../../src/importers/emonet/matlab_text.ts";
import { assertLess } from "../../assert_that.ts";

/** Whether a file is to be read or refused; both are right for the last. */
export type Expectation = "accept" | "refuse" | "accept_or_refuse";

export interface Bzip2Case {
  readonly file: string;
  readonly expect: Expectation;
  readonly sha256?: string;
}

export interface TextCase {
  readonly file: string;
  readonly kind: "conv_weights" | "conv_bias" | "fc_weights" | "fc_bias";
  readonly shape: readonly number[];
  readonly expect: Expectation;
  readonly expected_flat?: readonly number[];
}

export const GOLDEN = new URL("../../golden/emonet/", import.meta.url);

/** The cases of a committed file, with their bytes. */
export async function committed<T>(
  file: string,
): Promise<(T & { readonly bytes: Uint8Array<ArrayBuffer> })[]> {
  const { cases } = JSON.parse(await Deno.readTextFile(new URL(file, GOLDEN)));
  return cases.map(({ bytes_base64, ...rest }: { bytes_base64: string }) => ({
    ...rest,
    bytes: Uint8Array.from(atob(bytes_base64), (character) => character.charCodeAt(0)),
  }));
}

/** Reads bytes as a file gives them, at most `step` at once. */
export function reader(bytes: Uint8Array, step = Infinity): ReadBytes {
  let from = 0;
  return (into) => {
    const part = bytes.subarray(from, from + Math.min(step, into.length));
    into.set(part);
    from += part.length;
    return part.length;
  };
}

/** Everything that is decompressed. */
export function unpack(bytes: Uint8Array, step?: number): Uint8Array {
  const parts = Array.from(decompressBzip2(reader(bytes, step)), (part) => part.slice());
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let from = 0;
  for (const part of parts) {
    all.set(part, from);
    from += part.length;
  }
  return all;
}

/** Bytes in chunks of one length. */
export function* chunks(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += length) yield bytes.subarray(from, from + length);
}

/** SHA-256 of a tensor's float32 bytes. */
export function hashOf(data: Float32Array): string {
  return sha256(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength));
}

/** Reads a case's matrix, flat, in the order of PyTorch's tensor. */
export function readCase({ file, kind, shape }: TextCase, bytes: Iterable<Uint8Array>): number[] {
  if (kind.endsWith("weights")) return [...readWeights(bytes, file, shape).data];
  const [count] = shape as [number];
  const size = kind === "conv_bias" ? { lines: 1, values: count } : { lines: count, values: 1 };
  const values: number[] = [];
  for (const row of readMatrix(bytes, file, size)) values.push(...row);
  return values;
}

/** Compares what is read with what the case expects. */
export function checkText(one: TextCase, bytes: Uint8Array): "accepted" | "refused" {
  let values: number[];
  try {
    values = readCase(one, decompressBzip2(reader(bytes)));
  } catch (error) {
    assertRefusal(one.file, error);
    assert.notEqual(one.expect, "accept", `${one.file}: ${error}`);
    return "refused";
  }
  assert.notEqual(one.expect, "refuse", one.file);
  assert.deepEqual(values, one.expected_flat, one.file);
  return "accepted";
}

/** Compares what is decompressed with what the case expects. */
export function checkBzip2(one: Bzip2Case, bytes: Uint8Array): "accepted" | "refused" {
  let hash: string;
  try {
    hash = sha256(unpack(bytes));
  } catch (error) {
    assert.ok(error instanceof SyntaxError, `${one.file}: ${error}`);
    assert.match(error.message, /^Cannot decompress bzip2 data: [^\n]+$/);
    assert.notEqual(one.expect, "accept", `${one.file}: ${error}`);
    return "refused";
  }
  assert.notEqual(one.expect, "refuse", one.file);
  assert.equal(hash, one.sha256, one.file);
  return "accepted";
}

/** A refusal is a ModelError of one line that names the file. */
export function assertRefusal(file: string, error: unknown): void {
  assert.ok(error instanceof ModelError, `${file}: ${error}`);
  assert.match(error.message, /^Cannot read [^\n]+$/);
  assertLess(error.message.length, 400, error.message);
}
