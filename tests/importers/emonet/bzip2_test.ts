import assert from "node:assert/strict";
import { createRng } from "../../../src/base/rng.ts";
import { decompressBzip2 } from "../../../src/importers/emonet/bzip2.ts";
import { type Bzip2Case, checkBzip2, committed, reader, unpack } from "./cases.ts";
import { assertAtMost, assertMore } from "../../assert_that.ts";

/** Not decompressed here: 256 MB. */
const BOMB = "bomb_256MB_one_line.bz2";

Deno.test("bzip2 files give what Python's bz2 gives, and damaged ones are refused", async () => {
  const seen = { accepted: 0, refused: 0 };
  for (const one of await committed<Bzip2Case>("bzip2_cases.json")) {
    if (one.file !== BOMB) seen[checkBzip2(one, one.bytes)]++;
  }
  assert.deepEqual(seen, { accepted: 9, refused: 11 });
});

Deno.test("bzip2 data may come in pieces of any length", async () => {
  for (const { file, bytes, expect } of await committed<Bzip2Case>("bzip2_cases.json")) {
    if (file === BOMB || expect !== "accept") continue;
    for (const step of [1, 3, 1000]) assert.deepEqual(unpack(bytes, step), unpack(bytes), file);
  }
});

Deno.test("bzip2 data are decompressed only as they are asked for", async () => {
  const bomb = (await committed<Bzip2Case>("bzip2_cases.json")).find(({ file }) => file === BOMB)!;
  let length = 0;
  for (const chunk of decompressBzip2(reader(bomb.bytes))) {
    assertAtMost(chunk.length, 1 << 16);
    length += chunk.length;
    if (length > 1 << 20) break;
  }
  assertMore(length, 1 << 20);
});

Deno.test("bzip2 data that are changed somewhere are refused, or mean the same", async () => {
  const cases = await committed<Bzip2Case>("bzip2_cases.json");
  const rng = createRng(5);
  let refused = 0;
  for (const { file, bytes, expect } of cases) {
    if (expect !== "accept" || bytes.length > 1000) continue;
    const whole = unpack(bytes);
    for (let i = 0; i < 60; i++) {
      const changed = bytes.slice(0, i % 3 === 0 ? rng.below(bytes.length) : bytes.length);
      if (i % 3 !== 0) changed[rng.below(bytes.length)] ^= 1 << rng.below(8);
      let result: Uint8Array;
      try {
        result = unpack(changed);
      } catch (error) {
        assert.ok(error instanceof SyntaxError, `${file}: ${error}`);
        refused++;
        continue;
      }
      // Bits that pad the last byte, the block size, and streams that were cut off as a whole.
      assert.deepEqual(result, whole.subarray(0, result.length), file);
    }
  }
  assert.ok(refused > 400, `${refused} refused`);
});
