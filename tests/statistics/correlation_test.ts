import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import {
  completePairs,
  correlationMatrix,
  fisherInterval,
  pearson,
  pearsonOfSums,
  plainPearson,
  ranks,
  spearman,
} from "../../src/statistics/correlation.ts";
import { assertClose } from "../assert_close.ts";
import { assertLess, assertMore } from "../assert_that.ts";

const rng = createRng(11);
/** Whole numbers with many ties. */
const tied = (n: number) => Array.from({ length: n }, () => rng.below(6));

/** Pearson's r from its definition, in another form: covariance by pairs of pairs. */
function slowPearson(x: readonly number[], y: readonly number[]): number {
  let xy = 0, xx = 0, yy = 0;
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      xy += (x[i] - x[j]) * (y[i] - y[j]);
      xx += (x[i] - x[j]) ** 2;
      yy += (y[i] - y[j]) ** 2;
    }
  }
  return xy / Math.sqrt(xx * yy);
}

/** A value's rank: 1, and one for each below, and half for each equal to it. */
const slowRanks = (x: readonly number[]) =>
  x.map((value) => {
    const below = x.filter((other) => other < value).length;
    return 1 + below + (x.filter((other) => other === value).length - 1) / 2;
  });

Deno.test("Pearson's and Spearman's coefficients follow their definitions, ties and all", () => {
  for (const n of [3, 4, 9, 40, 121]) {
    const x = tied(n).map((value) => value * 1e-3 + 5), y = tied(n);
    assert.deepEqual([...ranks(x)], slowRanks(x));
    assertClose(pearson(x, y).r, slowPearson(x, y), 1e-12);
    assertClose(spearman(x, y).r, slowPearson(slowRanks(x), slowRanks(y)), 1e-13);
    assert.equal(pearson(x, y).n, n);
  }
});

Deno.test("the plain coefficient and that of sums agree with Pearson's, and are NaN without variance", () => {
  const sumsOf = (x: readonly number[], y: readonly number[]) => {
    const sum = (value: (i: number) => number) => x.reduce((total, _, i) => total + value(i), 0);
    return pearsonOfSums([
      x.length,
      sum((i) => x[i]),
      sum((i) => y[i]),
      sum((i) => x[i] ** 2),
      sum((i) => y[i] ** 2),
      sum((i) => x[i] * y[i]),
    ]);
  };
  for (const n of [3, 9, 121]) {
    const x = tied(n), y = tied(n);
    const { r } = pearson(x, y);
    for (const found of [plainPearson(x, y), sumsOf(x, y)]) {
      assertClose(found, r, 1e-12);
    }
  }
  assert.deepEqual([plainPearson([1, 1, 1], [1, 2, 3]), sumsOf([1, 1, 1], [1, 2, 3])], [NaN, NaN]);
  assert.deepEqual([sumsOf([1, 2], [1, 2]), plainPearson([1, 2, NaN], [1, 2, 3])], [NaN, NaN]);
});

Deno.test("they are symmetric, blind to the order of pairs, and to scale (Spearman: to any rising function)", () => {
  const x = tied(60).map((value) => value + rng.normal()),
    y = x.map((value) => value + rng.normal());
  const order = x.map((_, i) => (i * 37) % 60);
  const close = (p: number, q: number) => assertClose(p, q, 1e-13);
  for (const correlate of [pearson, spearman]) {
    const { r } = correlate(x, y);
    assertMore(r, .5);
    assertLess(r, .95);
    close(correlate(y, x).r, r);
    close(correlate(order.map((i) => x[i]), order.map((i) => y[i])).r, r);
    close(correlate(x.map((value) => -3 * value + 7), y).r, -r);
  }
  assert.equal(spearman(x.map(Math.exp), y).r, spearman(x, y).r);
});

Deno.test("constants, NaN, infinities and too few pairs are as in scipy", () => {
  const nan = (n: number) => ({ r: NaN, p: NaN, n });
  for (const correlate of [pearson, spearman]) {
    assert.deepEqual(correlate([2, 2, 2], [1, 2, 3]), nan(3));
    assert.deepEqual(correlate([1, 2, 3], [.1, .1, .1]), nan(3));
    assert.deepEqual(correlate([1, NaN, 2], [1, 2, 3]), nan(3));
    assert.deepEqual(correlate([1], [2]), nan(1));
    assert.deepEqual(correlate([], []), nan(0));
    assert.throws(() => correlate([1, 2], [1]), RangeError);
  }
  assert.deepEqual(pearson([1, Infinity, 2], [1, 2, 3]), nan(3));
  assert.deepEqual(spearman([1, Infinity, 2], [1, 2, 3]).r, .5);
  assert.deepEqual(pearson([1, 2], [5, 3]), { r: -1, p: 1, n: 2 });
  assert.equal(spearman([1, 2], [5, 3]).p, NaN);
  assert.equal(spearman([1, 2, 3], [4, 5, 6]).p, 0);
});

Deno.test("Fisher's interval is scipy's, and says nothing of three pairs", () => {
  const cases = [
    [.8528028654224417, 4, -.600304397554816, .9968521576955949],
    [-.45079052714759943, 5, -.9537385763998151, .7164010062646211],
    [.35104292701692547, 190, .21966681901872065, .46991366737743273],
  ] as const;
  for (const [r, n, low, high] of cases) {
    const interval = fisherInterval({ r, p: NaN, n });
    assertClose(interval[0], low, 1e-14);
    assertClose(interval[1], high, 1e-14);
  }
  assert.deepEqual(fisherInterval({ r: .5, p: 0, n: 3 }), [-1, 1]);
  assert.deepEqual(fisherInterval({ r: 1, p: 0, n: 9 }), [1, 1]);
  assert.deepEqual(fisherInterval({ r: NaN, p: NaN, n: 9 }), [NaN, NaN]);
});

Deno.test("values far from 0 and huge values keep their correlation", () => {
  const x = [1, 2, 3, 4, 7].map((value) => value * 2 ** 700), y = [2, 1, 4, 3, 9];
  assertClose(pearson(x, y).r, pearson([1, 2, 3, 4, 7], y).r, 1e-15);
  const far = [1, 2, 3, 4, 7].map((value) => value + 2 ** 40);
  assertClose(pearson(far, y).r, pearson([1, 2, 3, 4, 7], y).r, 1e-15);
});

Deno.test("pairs with a NaN are left out, and matrices are over what is left of each pair", () => {
  const x = [1, NaN, 3, 4, 2], y = [2, 2, NaN, 5, 1];
  assert.deepEqual(completePairs(x, y).map((kept) => [...kept]), [[1, 4, 2], [2, 5, 1]]);
  const matrix = correlationMatrix([x, y, [1, 1, 1, 1, 1]], pearson);
  assert.equal(matrix[0][0], 1);
  assert.equal(matrix[0][1], pearson([1, 4, 2], [2, 5, 1]).r);
  assert.equal(matrix[1][0], matrix[0][1]);
  assert.equal(matrix[2][2], NaN);
  assert.equal(matrix[0][2], NaN);
});
