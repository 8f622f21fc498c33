import assert from "node:assert/strict";
import gammaln from "@stdlib/math-base-special-gammaln";
import { createRng } from "../../src/base/rng.ts";
import { kolmogorovUniform } from "../../src/statistics/kolmogorov.ts";
import { assertAtMost } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

/**
 * P(D ≥ k/n) by Kolmogorov's recursion of 1933: of n numbers, the count up to j/n must stay within k of j at every j. Steps are Poisson, and the sum is
 * divided by the probability that there are n of them.
 */
function slowTwoSided(n: number, k: number): number {
  const step = Array.from({ length: 2 * k }, (_, m) => Math.exp(-1 - gammaln(m + 1)));
  let paths = new Map([[0, 1]]);
  for (let j = 1; j <= n; j++) {
    const next = new Map<number, number>();
    for (const [count, weight] of paths) {
      for (let m = 0; m < step.length; m++) {
        if (Math.abs(count + m - j) < k) {
          next.set(count + m, (next.get(count + m) ?? 0) + weight * step[m]);
        }
      }
    }
    paths = next;
  }
  return 1 - (paths.get(n) ?? 0) / Math.exp(n * Math.log(n) - n - gammaln(n + 1));
}

/** n numbers whose D is `distance`: they lie evenly, but too low by it where they can. */
function apart(n: number, distance: number): number[] {
  return Array.from({ length: n }, (_, at) => Math.max(0, (at + 1) / n - distance));
}

Deno.test("kolmogorovUniform() has the exact p of Kolmogorov's own recursion", () => {
  for (
    const [n, k] of [[2, 1], [5, 2], [12, 5], [40, 7], [40, 12], [150, 16], [150, 22], [900, 35]]
  ) {
    const { statistic, p } = kolmogorovUniform(apart(n, k / n));
    assertClose(statistic, k / n, 1e-14);
    assertClose(p, slowTwoSided(n, k), { relative: 1e-7, absolute: 1e-11 }, `${n}, ${k}`);
  }
});

Deno.test("kolmogorovUniform() is within 2e-4 of the exact p for more numbers than it tries exactly", () => {
  for (const k of [32, 42, 43, 53, 75]) {
    const { p } = kolmogorovUniform(apart(1200, k / 1200));
    assertClose(p, slowTwoSided(1200, k), { relative: 2e-4 }, `${k}`);
  }
});

Deno.test("kolmogorovUniform() rejects uniform numbers as often as it says", () => {
  const rng = createRng(2);
  const count = { p: 0, greater: 0, less: 0 }, trials = 2000;
  for (let trial = 0; trial < trials; trial++) {
    const test = kolmogorovUniform(Array.from({ length: 30 }, () => rng.uniform()));
    if (test.p <= .1) count.p++;
    if (test.greater.p <= .1) count.greater++;
    if (test.less.p <= .1) count.less++;
  }
  // Four standard errors.
  for (const times of Object.values(count)) assertAtMost(Math.abs(times / trials - .1), .027);
});

Deno.test("kolmogorovUniform() sees on which side numbers lie, in any order", () => {
  const low = [.3, .05, .1, .2, .02, .15];
  const test = kolmogorovUniform(low), mirrored = kolmogorovUniform(low.map((x) => 1 - x));
  assertClose(test.statistic, .7, 1e-15);
  assertAtMost(test.greater.p, .005);
  assertClose(mirrored.less.p, test.greater.p, 1e-12);
  assertClose(mirrored.greater.statistic, test.less.statistic, 1e-15);
  assert.deepEqual(kolmogorovUniform(low.toSorted()), test);
});

Deno.test("kolmogorovUniform() of nothing is NaN", () => {
  for (const values of [[], [.5, NaN]]) {
    const { statistic, p, asymptotic, greater, less } = kolmogorovUniform(values);
    for (const value of [statistic, p, asymptotic, greater.statistic, greater.p, less.p]) {
      assert.equal(value, NaN);
    }
  }
});
