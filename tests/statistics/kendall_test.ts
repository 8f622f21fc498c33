import assert from "node:assert/strict";
import { kendall, kendallExactP } from "../../src/statistics/kendall.ts";
import { assertKendall, type CorrelationCase } from "./rank_cases.ts";

const { cases } = JSON.parse(
  Deno.readTextFileSync(new URL("../golden/statistics/04a_correlation.json", import.meta.url)),
) as { cases: CorrelationCase[] };

Deno.test("Kendall's tau-a and tau-b and their p are scipy's, with ties and without", () => {
  assert.equal(cases.length, 16);
  cases.forEach(assertKendall);
});

Deno.test("vectors with ties have no exact p", () => {
  assert.equal(kendallExactP([1, 1, 2, 3], [1, 2, 3, 4]), NaN);
  assert.equal(kendallExactP([1, 2, 3, 4], [1, 2, 2, 4]), NaN);
});

Deno.test("too few values or a NaN have no Kendall correlation", () => {
  for (const [x, y] of [[[], []], [[1], [2]], [[1, NaN, 3], [1, 2, 3]]]) {
    const { tauA, tauB, p } = kendall(x, y);
    assert.deepEqual([tauA, tauB, p, kendallExactP(x, y)], [NaN, NaN, NaN, NaN]);
  }
  assert.throws(() => kendall([1, 2], [1]), /unequal length: 2 and 1/);
});
