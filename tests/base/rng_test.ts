import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { assertClose } from "../assert_close.ts";
import { assertAtLeast, assertLess } from "../assert_that.ts";

Deno.test("createRng() gives the same numbers for the same seed and others for another", () => {
  const draw = (seed: number) =>
    Array.from({ length: 5 }, ((rng) => () => rng.bits())(createRng(seed)));
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

Deno.test("split() depends on the key only, not on what was drawn before", () => {
  const a = createRng(1);
  const early = a.split("image 3").bits();
  for (let i = 0; i < 100; i++) a.bits();
  assert.equal(a.split("image 3").bits(), early);
  assert.notEqual(a.split("image 4").bits(), early);
});

Deno.test("uniform() and normal() have the moments of their distributions", () => {
  const rng = createRng(3).split("moments");
  const n = 100_000;
  let sum = 0, squares = 0, normals = 0, normalSquares = 0;
  for (let i = 0; i < n; i++) {
    const u = rng.uniform(), z = rng.normal();
    assertAtLeast(u, 0);
    assertLess(u, 1);
    sum += u;
    squares += u * u;
    normals += z;
    normalSquares += z * z;
  }
  // Five standard errors of each estimate.
  assertClose(sum / n, 1 / 2, 5 * Math.sqrt(1 / 12 / n));
  assertClose(squares / n, 1 / 3, 5 * Math.sqrt(4 / 45 / n));
  assertClose(normals / n, 0, 5 / Math.sqrt(n));
  assertClose(normalSquares / n, 1, 5 * Math.sqrt(2 / n));
});

Deno.test("below() is even over its range (chi-squared, 9 degrees of freedom)", () => {
  const rng = createRng(11);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 50_000; i++) counts[rng.below(10)]++;
  const chi = counts.reduce((sum, count) => sum + (count - 5000) ** 2 / 5000, 0);
  assert.ok(chi < 33.7, `chi-squared ${chi}, p < 1e-4`);
});
