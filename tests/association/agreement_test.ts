import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { Agreement } from "../../src/association/agreement.ts";
import { assertClose } from "../assert_close.ts";

/** Pearson's r in two passes, straight from the definition. */
function pearson(a: number[], b: number[]): number {
  const mean = (values: number[]) => values.reduce((x, y) => x + y, 0) / values.length;
  const ma = mean(a), mb = mean(b);
  const sum = (f: (i: number) => number) => a.reduce((total, _, i) => total + f(i), 0);
  return sum((i) => (a[i] - ma) * (b[i] - mb)) /
    Math.sqrt(sum((i) => (a[i] - ma) ** 2) * sum((i) => (b[i] - mb) ** 2));
}

Deno.test("Agreement is Pearson's correlation over the boxes that both methods score", () => {
  const rng = createRng(4);
  const rows = Array.from({ length: 500 }, () => {
    const shared = rng.uniform();
    return [shared, 0.7 * shared + 0.3 * rng.uniform(), rng.uniform(), 1 - shared];
  });
  rows[3][1] = NaN;
  rows[9][2] = NaN;
  const agreement = new Agreement(4);
  for (const row of rows) agreement.add(row);
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 4; j++) {
      const both = rows.filter((row) => !Number.isNaN(row[i]) && !Number.isNaN(row[j]));
      const expected = i === j ? 1 : pearson(both.map((r) => r[i]), both.map((r) => r[j]));
      assertClose(agreement.correlation(i, j), expected, 1e-10);
    }
  }
  assertClose(agreement.correlation(0, 3), -1, 1e-12);
});

Deno.test("Agreement is NaN without variance or with fewer than three boxes", () => {
  const few = new Agreement(2);
  few.add([0.1, 0.2]);
  few.add([0.3, 0.1]);
  assert.equal(few.correlation(0, 1), NaN);
  const constant = new Agreement(2);
  for (let i = 0; i < 50; i++) constant.add([0.1, i / 50]);
  assert.equal(constant.correlation(0, 1), NaN);
});
