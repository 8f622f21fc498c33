import assert from "node:assert/strict";
import { exactBinomial } from "../../../src/statistics/exact/binomial.ts";
import { assertClose } from "../../assert_close.ts";

/** Of 4^n equally probable outcomes, those with at least, at most or no more probable counts, where each trial succeeds in one of four. */
function slowBinomial(count: number, n: number, alternative: string): number {
  const ways = [1n];
  for (let k = 1; k <= n; k++) ways.push(ways[k - 1] * BigInt(n - k + 1) / BigInt(k));
  const outcomes = ways.map((of, k) => of * 3n ** BigInt(n - k));
  const extreme = outcomes.filter((own, k) =>
    alternative === "greater"
      ? k >= count
      : alternative === "less"
      ? k <= count
      : own <= outcomes[count]
  );
  return Number(extreme.reduce((a, b) => a + b, 0n) * 10n ** 300n / 4n ** BigInt(n)) / 1e300;
}

Deno.test("exactBinomial() equals a count of all outcomes in whole numbers", () => {
  for (const n of [1, 2, 7, 19, 20, 333]) {
    for (let count = 0; count <= n; count += 1 + Math.floor(n / 25)) {
      for (const alternative of ["two-sided", "greater", "less"] as const) {
        const p = exactBinomial(count, n, .25, alternative);
        const slow = slowBinomial(count, n, alternative);
        assertClose(p, slow, { relative: 1e-10 }, `${alternative} of ${count} of ${n}`);
      }
    }
  }
});

Deno.test("exactBinomial() is NaN where there is nothing to test", () => {
  assert.equal(exactBinomial(0, 0, .5), NaN);
  assert.equal(exactBinomial(1, 2, 0), NaN);
  assert.equal(exactBinomial(1, 2, 1), NaN);
  assert.equal(exactBinomial(1, 2, NaN), NaN);
});
