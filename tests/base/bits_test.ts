import assert from "node:assert/strict";
import { ones } from "../../src/base/bits.ts";

Deno.test("ones counts the ones of a word, also of one that is negative as a signed number", () => {
  const naive = (word: number) => [...(word >>> 0).toString(2)].filter((bit) => bit === "1").length;
  for (const word of [0, 1, 2, 3, 0x80000000, 0xffffffff, -1, -2, 0x12345678, 0x55555555 << 1]) {
    assert.equal(ones(word), naive(word), String(word));
  }
});
