import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { boxWeights } from "../../src/kernels/box_weights.ts";
import { assertClose } from "../assert_close.ts";
import { assertEvery } from "../assert_that.ts";

/** The antiderivative of hat_i with continued edges, which is closed but cancels for short intervals. */
function antiderivative(u: number, i: number, cells: number): number {
  if (cells === 1) return u;
  const t = u - i;
  const rising = i === 0 ? t : t <= -1 ? 0 : (1 + t) ** 2 / 2;
  const falling = t >= 1 ? 1 / 2 : t - t * t / 2;
  const upTo0 = i === 0 ? 0 : 1 / 2;
  if (t <= 0) return i === 0 ? t : rising;
  return upTo0 + (i === cells - 1 ? t : falling);
}

function naive(x0: number, x1: number, cells: number, scale: number, offset: number): number[] {
  const [a, b] = [scale * x0 + offset, scale * x1 + offset];
  return Array.from(
    { length: cells },
    (_, i) => (antiderivative(b, i, cells) - antiderivative(a, i, cells)) / (b - a),
  );
}

Deno.test("boxWeights gives hand-checked weights", () => {
  const cell = { scale: 1, offset: 0 };
  assert.deepEqual(Array.from(boxWeights(0, 1, 3, cell)), [0.5, 0.5, 0]);
  assert.deepEqual(Array.from(boxWeights(0, 2, 3, cell)), [0.25, 0.5, 0.25]);
  assert.deepEqual(Array.from(boxWeights(0.5, 1, 3, cell)), [0.25, 0.75, 0]);
  assert.deepEqual(Array.from(boxWeights(-7, -3, 3, cell)), [1, 0, 0]);
  assert.deepEqual(Array.from(boxWeights(5, 9, 3, cell)), [0, 0, 1]);
  assert.deepEqual(Array.from(boxWeights(-3, 8, 1, cell)), [1]);
  // Four pixels over two cells: cell 0's centre is at 1, cell 1's at 3.
  assert.deepEqual(Array.from(boxWeights(0, 4, 2, { scale: 0.5, offset: -0.5 })), [0.5, 0.5]);
});

Deno.test("boxWeights of a point are those of a sample there", () => {
  assertClose(boxWeights(2.25, 2.25, 5, { scale: 1, offset: 0 }), [0, 0, 0.75, 0.25, 0], 0);
  assertClose(boxWeights(3, 3, 4, { scale: 1, offset: 0 }), [0, 0, 0, 1], 0);
  assertClose(boxWeights(-1, -1, 4, { scale: 1, offset: 0 }), [1, 0, 0, 0], 0);
});

Deno.test("boxWeights equals the difference of antiderivatives, sums to 1 and is never negative", () => {
  const rng = createRng(1);
  for (let round = 0; round < 500; round++) {
    const cells = 1 + rng.below(15);
    const scale = (0.02 + rng.uniform()) * (rng.below(2) ? 1 : -1);
    const offset = rng.normal() * 4;
    const x0 = rng.normal() * 20, x1 = x0 + 0.01 + 30 * rng.uniform();
    const weights = boxWeights(x0, x1, cells, { scale, offset });
    // The antiderivatives' difference loses up to 1e-16 · 30 / 2e-4.
    assertClose(weights, naive(x0, x1, cells, scale, offset), 2e-11);
    assertClose(weights.reduce((a, b) => a + b, 0), 1, 1e-14);
    assertEvery(weights, (weight) => weight >= 0);
  }
});

Deno.test("boxWeights stays exact for intervals so short that a difference would cancel", () => {
  for (const length of [1e-6, 1e-9, 1e-12, 1e-15, 1e-300]) {
    const weights = boxWeights(0.3, 0.3 + length, 4, { scale: 1, offset: 0 });
    assertClose(weights, [0.7 - length / 2, 0.3 + length / 2, 0, 0], 2e-16);
    const across = boxWeights(1 - length / 2, 1 + length / 2, 4, { scale: 1, offset: 0 });
    assertClose(across, [length / 8, 1 - length / 4, length / 8, 0], Math.max(2e-16, length / 3));
  }
});

Deno.test("boxWeights of adjacent intervals add up by length", () => {
  const rng = createRng(2);
  for (let round = 0; round < 100; round++) {
    const [a, b, c] = [rng.normal(), rng.normal(), rng.normal()].map((x) => 30 + 20 * x)
      .sort((x, y) => x - y);
    const placed = { scale: 7 / 64, offset: -0.5 };
    const [left, right] = [boxWeights(a, b, 7, placed), boxWeights(b, c, 7, placed)];
    const sum = left.map((weight, i) => (weight * (b - a) + right[i] * (c - b)) / (c - a));
    assertClose(boxWeights(a, c, 7, placed), sum, 1e-14);
  }
});

Deno.test("boxWeights refuses what has no mean", () => {
  const cell = { scale: 1, offset: 0 };
  assert.throws(() => boxWeights(0, 1, 0, cell), RangeError);
  assert.throws(() => boxWeights(NaN, 1, 3, cell), /Cannot weigh 3 cells over \[NaN, 1\]/);
  assert.throws(() => boxWeights(0, Infinity, 3, cell), RangeError);
});
