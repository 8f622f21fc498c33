import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { mantel, randomPermutations } from "../../src/statistics/mantel.ts";
import { assertMantel, type MantelCase } from "./rank_cases.ts";

const { cases } = JSON.parse(
  Deno.readTextFileSync(new URL("../golden/statistics/04b_mantel.json", import.meta.url)),
) as { cases: MantelCase[] };

Deno.test("Mantel's test and the partial one have the reference's coefficients, hits and p", () => {
  assert.equal(cases.length, 3);
  cases.forEach(assertMantel);
});

Deno.test("random permutations are permutations, and one does not depend on those before", () => {
  const [, second] = randomPermutations(7, 2, createRng(3));
  assert.deepEqual([...second].sort(), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...randomPermutations(7, 5, createRng(3))][1], second);
});

Deno.test("a constant matrix has no Mantel coefficient; what is not a triangle is refused", () => {
  const { r, p } = mantel([1, 1, 1], [1, 2, 3], { permutations: "all" });
  assert.deepEqual([r, p.greater], [NaN, NaN]);
  assert.throws(() => mantel([1, 2], [1, 2], { permutations: "all" }), /2 distances/);
  assert.throws(() => mantel([1, 2, 3], [1], { permutations: "all" }), /unequal number: 3 and 1/);
  const many = new Array(45).fill(1);
  assert.throws(() => mantel(many, many, { permutations: "all" }), /all permutations of 10/);
});
