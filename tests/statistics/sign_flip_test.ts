/** The sign-flip test against all flips written out, and its level on differences that could have been exchanged. */

import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { signFlipP } from "../../src/statistics/sign_flip.ts";
import { assertClose } from "../assert_close.ts";
import { assertAtMost, assertLess } from "../assert_that.ts";

const draws = (seed: number) => ({ draws: 4999, rng: createRng(seed).split("flips") });

/** All sign flips, one after the other. */
function slow(differences: readonly number[]): number {
  const sums = differences.reduce<number[]>(
    (all, value) => all.flatMap((sum) => [sum + value, sum - value]),
    [0],
  );
  const observed = differences.reduce((a, b) => a + b, 0);
  return sums.filter((sum) => sum >= observed - 1e-9).length / sums.length;
}

Deno.test("few differences: all flips, ties among them", () => {
  for (const values of [[], [1], [-1], [1, 1, -1, .5], [.25, .5, -.125, 2, 2, -1, .75]]) {
    assertClose(signFlipP(values, draws(1)), slow(values), { absolute: 1e-12 });
  }
  assert.equal(signFlipP([], draws(1)), 1);
});

Deno.test("many differences: drawn, near what all flips give, and the same for the same stream", () => {
  const rng = createRng(4).split("values");
  const values = Array.from({ length: 18 }, () => rng.normal() + .4);
  const exact = slow(values), found = signFlipP(values, draws(2));
  assertAtMost(Math.abs(found - exact), 3.5 * Math.sqrt(exact * (1 - exact) / 4999) + 1 / 5000);
  assert.equal(signFlipP(values, draws(2)), found);
});

Deno.test("differences around 0 are found at the level, and shifted ones almost always", () => {
  let level = 0, power = 0;
  for (let seed = 0; seed < 200; seed++) {
    const rng = createRng(seed).split("level");
    const values = Array.from({ length: 12 }, () => rng.normal());
    if (signFlipP(values, draws(seed)) <= .05) level++;
    if (signFlipP(values.map((value) => value + 1.5), draws(seed)) <= .05) power++;
  }
  // 10 of 200 are expected, standard deviation 3.1.
  assertLess(level, 20);
  assertLess(180, power);
});
