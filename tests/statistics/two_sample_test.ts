import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { exactTwoSample, meanDifference, rankBiserial } from "../../src/statistics/two_sample.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("rankBiserial() is the share of pairs won minus lost", () => {
  const rng = createRng(6);
  for (let trial = 0; trial < 40; trial++) {
    // Few values, so many ties.
    const group = () => Array.from({ length: 1 + rng.below(12) }, () => rng.below(6));
    const first = group(), second = group();
    let surplus = 0;
    for (const x of first) for (const y of second) surplus += Math.sign(x - y);
    const value = rankBiserial(first, second);
    assertClose(value, surplus / first.length / second.length, 1e-14);
    assertClose(rankBiserial(second, first), -value, 1e-14);
  }
  assert.equal(rankBiserial([3, 4], [1, 2]), 1);
});

Deno.test("exactTwoSample() counts the splits of a bit mask", () => {
  const rng = createRng(9);
  for (let trial = 0; trial < 20; trial++) {
    const all = Array.from({ length: 3 + rng.below(7) }, () => rng.below(8) / 4);
    const size = 1 + rng.below(all.length - 1);
    const difference = (mask: number) => {
      const mine = all.filter((_, at) => mask >> at & 1);
      return meanDifference(mine, all.filter((_, at) => !(mask >> at & 1)));
    };
    const observed = difference(2 ** size - 1);
    let total = 0, above = 0, below = 0;
    for (let mask = 0; mask < 2 ** all.length; mask++) {
      if (mask.toString(2).replaceAll("0", "").length !== size) continue;
      total++;
      if (difference(mask) >= observed - 1e-9) above++;
      if (difference(mask) <= observed + 1e-9) below++;
    }
    const { greater, less, twoSided } = exactTwoSample(all.slice(0, size), all.slice(size));
    assertClose([greater, less], [above / total, below / total], 1e-14);
    assertClose(twoSided, Math.min(1, 2 * Math.min(above, below) / total), 1e-14);
  }
});

Deno.test("two groups of which one is empty have no difference", () => {
  assert.equal(meanDifference([], [1]), NaN);
  assert.equal(rankBiserial([], [1]), NaN);
  assert.equal(rankBiserial([1, NaN], [1]), NaN);
  assert.deepEqual(exactTwoSample([], [1]), { twoSided: NaN, greater: NaN, less: NaN });
});

Deno.test("exactTwoSample() refuses to try millions of splits", () => {
  const numbers = Array.from({ length: 20 }, (_, at) => at);
  assert.throws(() => exactTwoSample(numbers, numbers), /137846528820; draw random ones/);
});
