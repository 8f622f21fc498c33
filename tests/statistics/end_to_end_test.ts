/** Synthetic corpora are the specified ones bit for bit, and their counts and measures are the reference's. */

import assert from "node:assert/strict";
import golden from "../golden/statistics/end_to_end.json" with { type: "json" };
import { CLEAN, corpusLines, linesSha256, makeCorpus, splitmix } from "./end_to_end.ts";
import { assertCrossMethod, assertMethod } from "./end_to_end_case.ts";
import { incidenceOf } from "./end_to_end_tables.ts";

const corpusOf = ({ seed, n_images, mode }: { seed: string; n_images: number; mode: string }) =>
  makeCorpus(seed, n_images, mode as "null" | "planted");

Deno.test("the numbers of a seed are splitmix64's, in any order", () => {
  const { seed, draw_0_to_7_hex, below_1000_0_to_15 } = golden.prng_check;
  const { draw, below } = splitmix(BigInt(seed));
  const hex = (key: number) => draw(key).map((half) => half.toString(16).padStart(8, "0")).join("");
  const back = [7, 6, 5, 4, 3, 2, 1, 0].map(hex).reverse();
  assert.deepEqual(back, draw_0_to_7_hex);
  assert.deepEqual(below_1000_0_to_15.map((_, key) => below(key, 1000)), below_1000_0_to_15);
});

Deno.test("keys beyond 32 bits and seeds of 64 bits are as big integers give them", () => {
  const mask = (1n << 64n) - 1n;
  const mix = (z: bigint) => {
    z = (z ^ z >> 30n) * 0xBF58476D1CE4E5B9n & mask;
    z = (z ^ z >> 27n) * 0x94D049BB133111EBn & mask;
    return z ^ z >> 31n;
  };
  for (const seed of [0n, 20240714n, mask, 0x123456789abcdef0n]) {
    const { draw } = splitmix(seed);
    for (const key of [0, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 71, 2 ** 52]) {
      const wanted = mix(mix(seed) + BigInt(key + 1) * 0x9E3779B97F4A7C15n & mask);
      const [high, low] = draw(key);
      assert.equal(BigInt(high) << 32n | BigInt(low), wanted, `${seed}, ${key}`);
    }
  }
});

Deno.test("images and boxes have the checksums of the specification", () => {
  assert.deepEqual(CLEAN, [0, 4, 8, 12, 16, 20, 24, 28, 32, 36]);
  for (const { input, expected } of golden.cases) {
    const { images, boxes } = corpusLines(corpusOf(input));
    assert.equal(linesSha256(images), expected.sha256_images);
    assert.equal(boxes.length, expected.box_lines);
    assert.equal(linesSha256(boxes), expected.sha256_boxes);
  }
});

Deno.test("counts, measures, exact p and significant cells of a planted corpus are the reference's", () => {
  let compared = 0;
  for (const { input, expected: { first_method: expected } } of golden.cases) {
    if (!expected) continue;
    assertMethod(incidenceOf(corpusOf(input)), expected);
    compared++;
  }
  assert.equal(compared, 1);
});

Deno.test("matrices of two methods correlate as the reference's do, on the same images and on halves", () => {
  for (const { input, expected: { cross_method_spearman: expected } } of golden.cases) {
    assertCrossMethod(incidenceOf(corpusOf(input)), expected);
  }
});
