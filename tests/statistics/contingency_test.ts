import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { contingency } from "../../src/statistics/contingency.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("contingency() is what its formulas say, cell by cell", () => {
  const rng = createRng(8), rows = 4, columns = 3;
  const counts = Array.from({ length: rows * columns }, () => 1 + rng.below(30));
  const table = contingency(counts, rows, columns);
  const n = counts.reduce((a, b) => a + b);
  let chiSquare = 0, g = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let row = 0, column = 0;
      for (let k = 0; k < columns; k++) row += counts[i * columns + k];
      for (let k = 0; k < rows; k++) column += counts[k * columns + j];
      const count = counts[i * columns + j], mean = row * column / n;
      const at = i * columns + j;
      assertClose(table.expected[at], mean, 1e-12);
      assertClose(table.pearson[at], (count - mean) / mean ** .5, 1e-12);
      const deviation = Math.sqrt(row * column * (n - row) * (n - column) / n ** 3);
      assertClose(table.adjusted[at], (count - mean) / deviation, 1e-12);
      chiSquare += (count - mean) ** 2 / mean;
      g += 2 * count * Math.log(count / mean);
    }
  }
  assertClose(table.chiSquare.statistic, chiSquare, 1e-11);
  assertClose(table.g.statistic, g, 1e-11);
  assert.equal(table.chiSquare.freedom, 6);
  assertClose(table.cramersV, Math.sqrt(chiSquare / n / 2), 1e-12);
});

Deno.test("contingency() has V 1 where rows and columns determine each other, 0 where they are independent", () => {
  assertClose(contingency([5, 0, 0, 0, 9, 0, 0, 0, 2], 3, 3).cramersV, 1, 1e-14);
  assertClose(contingency([2, 4, 6, 3, 6, 9], 2, 3).cramersV, 0, 1e-14);
});

Deno.test("contingency() is NaN where a row or column is empty or holds everything, and for one row", () => {
  const empty = contingency([3, 0, 4, 1, 0, 9], 2, 3);
  assert.deepEqual([empty.chiSquare.p, empty.g.statistic, empty.cramersV], [NaN, NaN, NaN]);
  assert.equal(empty.pearson[1], NaN);
  assert.equal(contingency([3, 4], 1, 2).chiSquare.p, NaN);
  assert.equal(contingency([3, 4, 0, 0], 2, 2).adjusted[0], NaN);
});

Deno.test("contingency() takes Yates's correction for 2×2 tables only, and not past 0", () => {
  assert.equal(contingency([5, 5, 5, 6], 2, 2, true).chiSquare.statistic, 0);
  const counts = [2, 9, 4, 7, 1, 8];
  assert.deepEqual(contingency(counts, 2, 3, true), contingency(counts, 2, 3));
});

Deno.test("contingency() refuses a table of another size", () => {
  assert.throws(() => contingency([1, 2, 3], 2, 2), RangeError);
});
