import assert from "node:assert/strict";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import {
  checkFirstBatch,
  checkScale,
  differentAt,
  type FirstBatch,
} from "../../src/classifier/self_check.ts";

/** A first batch of a model that is a function of the inputs [n, 1, 1, 2], with the runs counted. */
function firstBatch(
  model: (input: Tensor, run: number) => number[],
  count: number,
  more: Partial<FirstBatch> = {},
): { first: FirstBatch; runs: () => number } {
  const input = floats(
    [4, 1, 1, 2],
    Array.from({ length: 8 }, (_, i) => i < 2 * count ? i + 1 : 0),
  );
  let runs = 0;
  const run = (values: Tensor) =>
    Promise.resolve({ probabilities: floats([4, 2], model(values, runs++)) });
  const first: FirstBatch = {
    name: "made",
    classes: ["a", "b"],
    input,
    count,
    results: { probabilities: floats([4, 2], model(input, -1)) },
    exact: true,
    run,
    ...more,
  };
  return { first, runs: () => runs };
}

const same = ({ data }: Tensor) => Array.from(data, (value) => value / 16);

Deno.test("one more pass where all is well, two where a sample depends on others or on chance", async () => {
  for (const count of [1, 2, 4]) {
    const good = firstBatch(same, count);
    await checkFirstBatch(good.first);
    assert.equal(good.runs(), 1);
    const mean = ({ data }: Tensor) => {
      const sum = data.reduce((a, b) => a + b, 0);
      return Array.from(data, (value) => value - sum / 8);
    };
    const mixed = firstBatch(mean, count);
    await assert.rejects(checkFirstBatch(mixed.first), /depend on the other samples of its batch/);
    assert.equal(mixed.runs(), 2);
    const random = firstBatch((input, run) => same(input).map((value) => value + run / 99), count);
    await assert.rejects(checkFirstBatch(random.first), /depend on chance/);
    assert.equal(random.runs(), 2);
  }
});

Deno.test("a difference in the last bit is one where shapes are equal, and none where they are not", async () => {
  const off = (input: Tensor, run: number) =>
    Array.from(input.data, (value) => run < 0 ? value : value * (1 + 2 ** -23));
  await assert.rejects(checkFirstBatch(firstBatch(off, 2).first), /depend on chance/);
  await checkFirstBatch(firstBatch(off, 2, { exact: false }).first);
});

Deno.test("rows that are run one at a time are seen among others; what cannot be run together mixes nothing", async () => {
  const mixing = (values: Tensor) =>
    Promise.resolve({
      probabilities: floats([4, 2], same(values).map((p, i) => p + values.data[i % 2])),
    });
  await assert.rejects(
    checkFirstBatch(firstBatch(same, 2, { together: mixing }).first),
    /alone and among others/,
  );
  const single = firstBatch(same, 2, { together: () => Promise.resolve(undefined) });
  await checkFirstBatch(single.first);
  assert.equal(single.runs(), 1);
});

Deno.test("differentAt(): the greatest difference over a part of the range or magnitude; NaN equals NaN only", () => {
  const at = (a: number[], b: number[], tolerance = 0) =>
    differentAt(Float32Array.from(a), Float32Array.from(b), tolerance);
  assert.equal(at([1, 2, 3], [1, 2, 3]), -1);
  assert.equal(at([1, 2, 3], [1, 2.5, 4]), 2);
  assert.equal(at([0, 0], [-0, 0]), -1);
  assert.equal(at([NaN, 1], [NaN, 1]), -1);
  assert.equal(at([NaN, 1], [0, 1], 1), 0);
  assert.equal(at([1, Infinity], [1, Infinity]), -1);
  assert.equal(at([1, Infinity], [1, -Infinity], 1), 1);
  assert.equal(at([-5, 5], [-5, 5.00005], 1e-5), -1);
  assert.equal(at([-5, 5], [-5, 5.0002], 1e-5), 1);
});

Deno.test("checkScale(): probabilities and percentages taken for logits, and probabilities that are none", () => {
  const scored = (logits: number[], probabilities: number[] = [0.5, 0.5, 0.5, 0.5]) =>
    firstBatch(same, 2, {
      results: { logits: floats([2, 2], logits), probabilities: floats([2, 2], probabilities) },
    }).first;
  assert.throws(() => checkScale(scored([0.2, 0.8, 1, 0]), true), /sum to 1, as probabilities do/);
  assert.throws(() => checkScale(scored([20, 80, 99.999, 0]), true), /sum to 100, as percentages/);
  // Told by a card, of other sums, negative, or not in every sample.
  checkScale(scored([0.2, 0.8, 1, 0]), false);
  checkScale(scored([0.2, 0.9, 1, 0]), true);
  checkScale(scored([-0.2, 1.2, 1, 0]), true);
  checkScale(scored([0.2, 0.8, 1, 1]), true);
  assert.throws(
    () => checkScale(scored([3, 1, 2, 5], [20, 80, 30, 70]), false),
    /the probability of a is 20, not a number from 0 to 1; correct output.kind/,
  );
});
