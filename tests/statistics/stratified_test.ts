import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { fisherExact } from "../../src/statistics/exact/fisher.ts";
import type { TwoByTwo } from "../../src/statistics/exact/hypergeometric.ts";
import {
  breslowDay,
  cochranMantelHaenszel,
  conditionalNull,
  exactConditional,
  mantelHaenszel,
} from "../../src/statistics/stratified/mod.ts";
import { assertLess } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

const table = (a: number, b: number, c: number, d: number): TwoByTwo => ({ a, b, c, d });

/** Ways to choose k of n. */
function choose(n: number, k: number): bigint {
  let ways = 1n;
  for (let i = 1; i <= k; i++) ways = ways * BigInt(n - k + i) / BigInt(i);
  return ways;
}

/** How many arrangements of the class within strata give each Σ a, in whole numbers. */
function arrangements(tables: readonly TwoByTwo[]): Map<number, bigint> {
  let sums = new Map([[0, 1n]]);
  for (const { a, b, c, d } of tables) {
    const next = new Map<number, bigint>();
    for (const [sum, ways] of sums) {
      for (let x = Math.max(0, a - d); x <= Math.min(a + b, a + c); x++) {
        const more = ways * choose(a + b, x) * choose(c + d, a + c - x);
        next.set(sum + x, (next.get(sum + x) ?? 0n) + more);
      }
    }
    sums = next;
  }
  return sums;
}

/** A ratio of whole numbers that are too large for doubles. */
const ratio = (part: bigint, all: bigint) => Number(part * 10n ** 300n / all) / 1e300;

function slowExact(tables: readonly TwoByTwo[]): number {
  const ways = arrangements(tables);
  const observed = ways.get(tables.reduce((sum, { a }) => sum + a, 0))!;
  let all = 0n, extreme = 0n;
  for (const count of ways.values()) {
    all += count;
    if (count <= observed) extreme += count;
  }
  return ratio(extreme, all);
}

/** Random strata, some of them with an empty margin. */
function strata(seed: number, count: number, most: number): TwoByTwo[] {
  const rng = createRng(seed);
  const upTo = (limit: number) => rng.below(limit + 1);
  return Array.from(
    { length: count },
    () => table(upTo(most), upTo(most), upTo(most), upTo(most)),
  );
}

Deno.test("exactConditional() equals a count of all arrangements in whole numbers", () => {
  for (let seed = 0; seed < 40; seed++) {
    const tables = strata(seed, 1 + seed % 6, [1, 3, 8, 20][seed % 4]);
    const p = exactConditional(tables);
    assertClose(p, slowExact(tables), { relative: 1e-9 }, JSON.stringify(tables));
  }
});

Deno.test("exactConditional() keeps its digits in far tails", () => {
  for (
    const tables of [[table(90, 2, 1, 80), table(70, 0, 3, 90)], [
      table(0, 200, 210, 3),
      table(4, 99, 120, 0),
      table(1, 30, 30, 1),
    ]]
  ) {
    const slow = slowExact(tables);
    assertLess(slow, 1e-60);
    assertClose(exactConditional(tables), slow, { relative: 1e-9 });
  }
});

Deno.test("exactConditional() of one stratum that can vary is Fisher's, of none 1", () => {
  const only = table(5, 9, 2, 30);
  assert.equal(exactConditional([only]), fisherExact(only));
  assert.equal(exactConditional([table(0, 0, 4, 9), only, table(3, 0, 4, 0)]), fisherExact(only));
  assert.equal(exactConditional([]), 1);
  assert.equal(exactConditional([table(0, 0, 4, 9)]), 1);
});

Deno.test("exactConditional() does not depend on the order of strata or on which of two is called a class", () => {
  const tables = strata(7, 5, 12);
  const p = exactConditional(tables);
  assertClose(exactConditional(tables.toReversed()), p, { relative: 1e-12 });
  const swapped = tables.map(({ a, b, c, d }) => table(a, c, b, d));
  assertClose(exactConditional(swapped), p, { relative: 1e-12 });
});

Deno.test("conditionalNull() is the distribution of the sum, with its mean and variance", () => {
  const tables = [table(300, 700, 900, 23969 - 12000), table(3, 40, 10, 2000), table(0, 0, 3, 1)];
  const { low, probabilities } = conditionalNull(tables);
  let total = 0, mean = 0, square = 0;
  probabilities.forEach((p, at) => {
    total += p;
    mean += p * (low + at);
  });
  probabilities.forEach((p, at) => square += p * (low + at - mean) ** 2);
  let expected = 0, variance = 0;
  for (const { a, b, c, d } of tables) {
    const n = a + b + c + d;
    expected += (a + b) * (a + c) / n;
    variance += (a + b) * (c + d) * (a + c) * (b + d) / (n * n * (n - 1));
  }
  assertClose(total, 1, 1e-11);
  assertClose(mean, expected, { relative: 1e-11 });
  assertClose(square, variance, { relative: 1e-10 });
  assert.deepEqual(conditionalNull([]), { low: 0, probabilities: new Float64Array([1]) });
});

Deno.test("breslowDay() is right at a pooled odds ratio of 1", () => {
  // Expected ½, 1, ½ with variances ⅛, ¼, ⅛: (½)²/⅛ twice.
  const tables = [table(1, 0, 0, 1), table(1, 1, 1, 1), table(0, 1, 1, 0)];
  assertClose(mantelHaenszel(tables).value, 1, 1e-15);
  const { statistic, freedom, p } = breslowDay(tables);
  assertClose(statistic, 4, 1e-12);
  assert.equal(freedom, 2);
  assertClose(p, Math.exp(-2), 1e-12);
  assertClose(breslowDay(tables, true).statistic, 4, 1e-12);
});

Deno.test("breslowDay() is 0 where all strata have one odds ratio, and finds one that differs", () => {
  const same = [table(10, 20, 30, 120), table(2, 1, 40, 40), table(100, 10, 100, 20)];
  assertClose(breslowDay(same).statistic, 0, 1e-20);
  assertLess(breslowDay([...same, table(10, 90, 90, 10)]).p, 1e-10);
});

Deno.test("what is not defined is NaN, empty strata are passed over", () => {
  const empty = table(0, 0, 0, 0), one = table(4, 6, 3, 9);
  assert.deepEqual(mantelHaenszel([one, empty]), mantelHaenszel([one]));
  assert.deepEqual(cochranMantelHaenszel([one, empty]), cochranMantelHaenszel([one]));
  assert.equal(mantelHaenszel([]).value, NaN);
  assert.equal(cochranMantelHaenszel([table(0, 0, 4, 9)]).statistic, NaN);
  assert.equal(cochranMantelHaenszel([table(0, 0, 4, 9)]).p, NaN);
  assert.equal(breslowDay([one, empty]).statistic, NaN);
});
