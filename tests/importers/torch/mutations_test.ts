/**
 * Seeded mutations of good checkpoints: each is read, or refused with a ModelError, quickly and in bounded memory.
 * EMOCAM_FUZZ sets the number of mutations.
 */

import assert from "node:assert/strict";
import { ModelError } from "../../../src/base/errors.ts";
import { createRng, type Rng } from "../../../src/base/rng.ts";

import { readZip } from "../../../src/importers/torch/zip_archive.ts";
import { bytesOf, MemorySource, readStateDictBytes, zip } from "./_files.ts";

const COUNT = Number(Deno.env.get("EMOCAM_FUZZ") ?? 600);
const folder = new URL("../../golden/torch/", import.meta.url);
const FILES = [
  "ok_control.pth",
  "ok_control_legacy.pth",
  "strided.pth",
  "strided_legacy.pth",
  "integer_dtypes.pth",
  "zero_and_scalar_legacy.pth",
  "protocol5.pth",
  "odd_keys.pth",
];
/** Bytes that mean something: the ends of ranges, and instructions that build, recall or announce lengths. */
const TELLING = bytesOf(
  "\x00\x01\x7f\x80\xff(.012JKMNQRTXabcdehjlqrstu}])\x81\x85\x86\x8a\x8b\x8e\x93\x94",
);

/** One change, or up to four: bytes replaced, inserted, removed, repeated, moved, or the end cut off. */
function mutated(bytes: Uint8Array, other: Uint8Array, rng: Rng): Uint8Array {
  let result = bytes;
  for (let n = rng.below(2) === 0 ? 1 : 1 + rng.below(4); n > 0; n--) {
    const at = rng.below(result.length + 1);
    const length = rng.below(Math.min(16, result.length - at + 1));
    const [before, piece, after] = [
      result.subarray(0, at),
      result.subarray(at, at + length),
      result.subarray(at + length),
    ];
    const random = Uint8Array.from({ length: 1 + rng.below(8) }, () => rng.below(256));
    const telling = Uint8Array.from({ length }, () => TELLING[rng.below(TELLING.length)]);
    const from = rng.below(other.length);
    const choices = [
      () => bytesOf(before, telling, after),
      () => bytesOf(before, random, after),
      () => bytesOf(before, telling, piece, after),
      () => bytesOf(before, after),
      () => bytesOf(before, Array.from({ length: rng.below(200) }, () => piece), piece, after),
      () => bytesOf(before, other.subarray(from, from + rng.below(64)), after),
      () => before.length > 0 && rng.below(4) === 0 ? before : bytesOf(after, before),
      () => bytesOf(before, piece.map((byte) => byte ^ 1 << rng.below(8)), after),
    ];
    result = choices[rng.below(choices.length)]();
  }
  return result;
}

/** The file with its pickle changed and its archive whole, so that the change reaches the pickle. */
function withPickle(bytes: Uint8Array, change: (pickle: Uint8Array) => Uint8Array): Uint8Array {
  const entries = [...readZip(new MemorySource("f", bytes)).values()];
  return zip(entries.map(({ name, offset, size }) => {
    const content = bytes.subarray(offset, offset + size);
    return [name, name.endsWith("/data.pkl") ? change(content) : content] as const;
  }));
}

Deno.test(`${COUNT} mutated checkpoints are read or refused, nothing else`, async () => {
  const files = await Promise.all(FILES.map((file) => Deno.readFile(new URL(file, folder))));
  const rng = createRng(20261123);
  const before = Deno.memoryUsage().rss;
  let [accepted, refused, slowest] = [0, 0, 0];
  for (let n = 0; n < COUNT; n++) {
    const file = files[rng.below(files.length)];
    const other = files[rng.below(files.length)];
    const isZip = file[0] === 0x50;
    const change = (bytes: Uint8Array) => mutated(bytes, other, rng);
    const bytes = isZip && rng.below(4) > 0 ? withPickle(file, change) : change(file);
    const started = performance.now();
    try {
      const dict = readStateDictBytes(bytes, "f");
      for (const tensor of dict.values()) {
        const elements = tensor.shape.reduce((product, extent) => product * extent, 1);
        assert.equal(tensor.read().length, elements);
      }
      accepted++;
    } catch (error) {
      assert.ok(error instanceof ModelError, `mutation ${n}: ${error}`);
      assert.match(error.message, /^Cannot read f: [^\n]+; [^\n]+$/);
      refused++;
    }
    slowest = Math.max(slowest, performance.now() - started);
  }
  // Both happen, so the mutations are neither all fatal nor all harmless.
  assert.ok(accepted > COUNT / 50, `${accepted} read, ${refused} refused`);
  assert.ok(refused > COUNT / 4, `${accepted} read, ${refused} refused`);
  assert.ok(slowest < 2000, `${slowest} ms`);
  const grown = (Deno.memoryUsage().rss - before) / 2 ** 20;
  assert.ok(grown < 256, `${grown} MiB`);
  if (Deno.env.has("EMOCAM_FUZZ")) console.error({ accepted, refused, slowest, grown });
});
