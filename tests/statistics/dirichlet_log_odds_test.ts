import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { dirichletLogOdds } from "../../src/statistics/dirichlet_log_odds.ts";
import { logOddsInterval } from "../../src/statistics/intervals/log_odds.ts";
import { assertClose } from "../assert_close.ts";
import { assertAtMost, assertLess } from "../assert_that.ts";

Deno.test("dirichletLogOdds() with ½ a word is Haldane and Anscombe's log odds of two words", () => {
  const { delta } = dirichletLogOdds([7, 20], [3, 40], [.5, .5]);
  assertClose(delta[0], logOddsInterval({ a: 7, b: 20, c: 3, d: 40 }).value, 1e-14);
  assertClose(delta[1], -delta[0], 1e-14);
});

Deno.test("dirichletLogOdds() is its paper's formula by hand", () => {
  // n₁ + α₀ = 10 + 4, n₂ + α₀ = 20 + 4; the first word has 5 + 1 and 2 + 1.
  const { delta, z } = dirichletLogOdds([5, 3, 2], [2, 8, 10], [1, 2, 1]);
  assertClose(delta[0], Math.log(6 / 8) - Math.log(3 / 21), 1e-14);
  assertClose(z[0], delta[0] / Math.sqrt(1 / 6 + 1 / 8 + 1 / 3 + 1 / 21), 1e-14);
});

Deno.test("dirichletLogOdds() turns round with its groups, and a heavier prior draws words to 0", () => {
  const first = [5, 3, 2, 0], second = [2, 8, 10, 4], prior = [1, 2, 1, .5];
  const one = dirichletLogOdds(first, second, prior),
    other = dirichletLogOdds(second, first, prior);
  assertClose(one.delta, other.delta.map((value) => -value), 1e-14);
  assertClose(one.z, other.z.map((value) => -value), 1e-14);
  const heavier = dirichletLogOdds(first, second, prior.map((count) => 100 * count));
  const largest = (values: Float64Array) => Math.max(...values.map(Math.abs));
  assertLess(largest(heavier.delta), largest(one.delta) / 5);
});

Deno.test("dirichletLogOdds() of words of one rate is rarely far from 0", () => {
  const rng = createRng(4), rates = [.02, .1, .3, .58];
  const prior = rates.map((rate) => 50 * rate);
  const draw = () => {
    const counts = [0, 0, 0, 0];
    for (let word = 0; word < 400; word++) {
      let u = rng.uniform(), at = 0;
      while (at < 3 && u >= rates[at]) u -= rates[at++];
      counts[at]++;
    }
    return counts;
  };
  let beyond = 0;
  for (let trial = 0; trial < 500; trial++) {
    beyond += dirichletLogOdds(draw(), draw(), prior).z.filter((z) => Math.abs(z) > 1.96).length;
  }
  // Less than .05, since the prior draws to 0.
  assertAtMost(beyond / 2000, .05);
});

Deno.test("dirichletLogOdds() is NaN for words that nothing is known of", () => {
  const { delta, z } = dirichletLogOdds([0, 3, 4], [2, 8, 1], [0, 0, 1]);
  assert.deepEqual([delta[0], z[0]], [NaN, NaN]);
  assert.deepEqual(Array.from(dirichletLogOdds([3], [8], [1]).delta), [NaN]);
  assert.throws(() => dirichletLogOdds([1, 2], [1], [1, 1]), RangeError);
});
