import assert from "node:assert/strict";
import gammaln from "@stdlib/math-base-special-gammaln";
import { createRng } from "../../../src/base/rng.ts";
import { fisherExact } from "../../../src/statistics/exact/fisher.ts";
import { logFactorials } from "../../../src/statistics/exact/log_factorial.ts";
import type { Alternative } from "../../../src/statistics/exact/unimodal.ts";
import { assertLess } from "../../assert_that.ts";
import { assertClose } from "../../assert_close.ts";

const factorials = [1n];
function factorial(n: number): bigint {
  for (let k = factorials.length; k <= n; k++) factorials.push(factorials[k - 1] * BigInt(k));
  return factorials[n];
}
const choose = (n: number, k: number) => factorial(n) / factorial(k) / factorial(n - k);

/** The p by whole numbers: every table of the margins is counted, ties are exact. */
function slowFisher(a: number, b: number, c: number, d: number, alternative: Alternative): number {
  const ways = (x: number) => choose(a + b, x) * choose(c + d, a + c - x);
  let extreme = 0n, all = 0n;
  for (let x = Math.max(0, a - d); x <= Math.min(a + b, a + c); x++) {
    const own = ways(x);
    all += own;
    const counts = alternative === "greater"
      ? x >= a
      : alternative === "less"
      ? x <= a
      : own <= ways(a);
    if (counts) extreme += own;
  }
  return Number(extreme * 10n ** 300n / all) / 1e300;
}

Deno.test("fisherExact() equals a count of all tables in whole numbers", () => {
  const rng = createRng(3);
  for (let trial = 0; trial < 400; trial++) {
    // Small tables and round ones have many ties.
    const most = [2, 5, 12, 60][trial % 4];
    const [a, b, c, d] = Array.from({ length: 4 }, () => rng.below(most + 1));
    for (const alternative of ["two-sided", "greater", "less"] as const) {
      const p = fisherExact({ a, b, c, d }, alternative);
      const slow = slowFisher(a, b, c, d, alternative);
      assertClose(p, slow, { relative: 1e-10 }, `${alternative} of ${a} ${b} ${c} ${d}`);
    }
  }
});

Deno.test("fisherExact() decides ties of symmetric tables as whole numbers do", () => {
  for (const half of [4, 9, 31, 150]) {
    for (let a = 0; a <= half; a++) {
      const p = fisherExact({ a, b: half - a, c: half - a, d: a });
      const slow = slowFisher(a, half - a, half - a, a, "two-sided");
      assertClose(p, slow, { relative: 1e-10 }, `${a} of ${half}`);
    }
  }
});

Deno.test("fisherExact() keeps its digits in far tails", () => {
  for (const [a, b, c, d] of [[120, 3, 2, 400], [0, 300, 280, 40], [200, 0, 0, 260]]) {
    const p = fisherExact({ a, b, c, d }), slow = slowFisher(a, b, c, d, "two-sided");
    assertLess(slow, 1e-90);
    assertClose(p, slow, { relative: 1e-9 });
  }
});

Deno.test("fisherExact() is 1 where a margin is empty", () => {
  for (
    const [a, b, c, d] of [[0, 0, 0, 0], [0, 0, 3, 4], [3, 4, 0, 0], [3, 0, 4, 0], [0, 3, 0, 4]]
  ) {
    for (const alternative of ["two-sided", "greater", "less"] as const) {
      assert.equal(fisherExact({ a, b, c, d }, alternative), 1);
    }
  }
});

Deno.test("logFactorials() are the log-gamma function's, however far the table grew before", () => {
  for (const n of [5, 300, 100, 30000]) {
    const table = logFactorials(n);
    for (let k = 0; k <= n; k += 1 + Math.floor(n / 50)) {
      assertClose(table[k], gammaln(k + 1), { relative: 1e-14, absolute: 1e-15 }, `${k}!`);
    }
  }
});
