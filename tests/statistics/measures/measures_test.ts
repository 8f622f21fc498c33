import assert from "node:assert/strict";
import { type Cell, MEASURES } from "../../../src/statistics/measures/mod.ts";
import { createRng } from "../../../src/base/rng.ts";
import pairs from "../../golden/measures/binary_pairs.json" with { type: "json" };
import tables from "../../golden/measures/two_by_two.json" with { type: "json" };
import { assertAgrees, type GoldenNumber } from "../golden_number.ts";
import { assertClose } from "../../assert_close.ts";

function cellOf([a, b, c, d]: readonly number[], boxes = 0, sum = 0): Cell {
  return { a: a!, b: b!, c: c!, d: d!, n: a! + b! + c! + d!, boxes, sum };
}

/** Every 2×2 table with up to four samples, and some larger ones. */
function* someTables(): Generator<[number, number, number, number]> {
  for (let n = 0; n <= 4; n++) {
    for (let a = 0; a <= n; a++) {
      for (let b = 0; a + b <= n; b++) {
        for (let c = 0; a + b + c <= n; c++) yield [a, b, c, n - a - b - c];
      }
    }
  }
  const rng = createRng(5);
  for (let i = 0; i < 40; i++) yield [rng.below(40), rng.below(40), rng.below(40), rng.below(40)];
}

Deno.test("each measure is listed under its own name", () => {
  for (const [name, measure] of Object.entries(MEASURES)) assert.equal(measure.name, name);
});

Deno.test("phi and dice are those of sklearn and of the formula on 55 tables", () => {
  for (const { input: { a, b, c, d }, expected } of tables.cases) {
    const cell = cellOf([a, b, c, d]);
    const message = JSON.stringify({ a, b, c, d });
    assertAgrees(MEASURES.phi.value(cell), expected.phi as GoldenNumber, 1e-14, message);
    assertAgrees(MEASURES.dice.value(cell), expected.dice as GoldenNumber, 1e-15, message);
  }
});

Deno.test("phi and dice are one minus scipy's distances on 40 pairs of vectors", () => {
  for (const { input: { a, b, c, d }, expected } of pairs.cases) {
    const cell = cellOf([a, b, c, d]);
    const message = JSON.stringify({ a, b, c, d });
    const phi = MEASURES.phi.value(cell), dice = MEASURES.dice.value(cell);
    assertAgrees(1 - phi, expected.correlation as GoldenNumber, 1e-14, message);
    assertAgrees(1 - dice, expected.dice as GoldenNumber, 1e-15, message);
  }
});

Deno.test("phi is Pearson's correlation and dice the overlap of the two vectors that a table describes", () => {
  for (const [a, b, c, d] of someTables()) {
    const object: number[] = [], predicted: number[] = [];
    const fill = (count: number, o: number, p: number) => {
      for (let i = 0; i < count; i++) object.push(o), predicted.push(p);
    };
    fill(a, 1, 1), fill(b, 1, 0), fill(c, 0, 1), fill(d, 0, 0);
    const n = object.length;
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / n;
    const covariance = (u: number[], v: number[]) => {
      const mu = mean(u), mv = mean(v);
      return mean(u.map((value, i) => (value - mu) * (v[i] - mv)));
    };
    const varies = new Set(object).size === 2 && new Set(predicted).size === 2;
    const r = varies
      ? covariance(object, predicted) /
        Math.sqrt(covariance(object, object) * covariance(predicted, predicted))
      : NaN;
    const cell = cellOf([a, b, c, d]);
    assertAgrees(MEASURES.phi.value(cell), r, 1e-13, `${[a, b, c, d]}`);
    const ones = object.filter((value) => value).length + predicted.filter((value) => value).length;
    const both = object.filter((value, i) => value && predicted[i]).length;
    assertAgrees(MEASURES.dice.value(cell), ones ? 2 * both / ones : NaN, 1e-15);
    assert.equal(MEASURES.count.value(cell), both);
  }
});

Deno.test("phi is exactly 1, −1 or 0 where object and class determine each other or are independent", () => {
  for (const [x, y] of [[3, 5], [1, 7919], [12_345, 999_999_937], [2 ** 40, 3]] as const) {
    assert.equal(MEASURES.phi.value(cellOf([x, 0, 0, y])), 1);
    assert.equal(MEASURES.phi.value(cellOf([0, x, y, 0])), -1);
  }
  for (const [p, q, r, s] of [[3, 5, 7, 11], [1_000_003, 999_983, 31_337, 65_537]] as const) {
    assert.equal(MEASURES.phi.value(cellOf([p * r, p * s, q * r, q * s])), 0);
  }
});

Deno.test("phi stays exact where a·d passes 2^53: a difference of one is seen", () => {
  const m = 2 ** 30 - 35;
  // (m+1)(m−1) − m² = −1, and in doubles both products are the same number.
  assert.equal((m + 1) * (m - 1) - m * m, 0);
  const value = MEASURES.phi.value(cellOf([m + 1, m, m, m - 1]));
  assertClose(value / (-1 / (4 * m * m)), 1, 1e-12);
});

Deno.test("mean importance is the mean over boxes, NaN without any", () => {
  assert.equal(MEASURES["mean-importance"].value(cellOf([1, 0, 0, 0], 4, 1.5)), .375);
  assert.equal(MEASURES["mean-importance"].value(cellOf([0, 0, 0, 9])), NaN);
});
