import assert from "node:assert/strict";
import { exactBinomial } from "../../../src/statistics/exact/binomial.ts";
import { PROPORTION_INTERVALS } from "../../../src/statistics/intervals/mod.ts";
import { assertAtMost } from "../../assert_that.ts";
import { assertClose } from "../../assert_close.ts";

const { wilson, "clopper-pearson": clopperPearson, jeffreys, "agresti-coull": agrestiCoull } =
  PROPORTION_INTERVALS;

Deno.test("every interval of a proportion is listed under its own name, holds the proportion and turns round with it", () => {
  for (const [name, own] of Object.entries(PROPORTION_INTERVALS)) {
    assert.equal(own.name, name);
    for (const [count, n] of [[0, 9], [3, 9], [9, 9], [70, 1000]]) {
      const [low, high] = own.interval(count, n, .9);
      const [mirrored, other] = own.interval(n - count, n, .9);
      assertClose([1 - other, 1 - mirrored], [low, high], 1e-12, name);
      // Jeffreys's ends are not moved to 0 and 1.
      if (own !== jeffreys || (count > 0 && count < n)) assertAtMost(low, count / n, name);
      assertAtMost(low, high, name);
    }
    assert.deepEqual(own.interval(0, 0), [NaN, NaN], name);
  }
});

Deno.test("clopperPearson's ends are rejected by one exact test each, just so", () => {
  for (const [count, n] of [[3, 9], [1, 40], [39, 40], [500, 1200]]) {
    const [low, high] = clopperPearson.interval(count, n, .9);
    assertClose(exactBinomial(count, n, low, "greater"), .05, 1e-9);
    assertClose(exactBinomial(count, n, high, "less"), .05, 1e-9);
  }
});

Deno.test("wilson's ends solve its equation, and Agresti and Coull's have its centre", () => {
  const z = 1.6448536269514722;
  for (const [count, n] of [[3, 9], [1, 40], [0, 12], [500, 1200]]) {
    const ends = wilson.interval(count, n, .9);
    for (const end of ends) {
      assertClose((count / n - end) ** 2, z * z * end * (1 - end) / n, 1e-12);
    }
    const [low, high] = agrestiCoull.interval(count, n, .9);
    if (low > 0) assertClose(low + high, ends[0] + ends[1], 1e-12);
  }
});
