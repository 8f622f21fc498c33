import assert from "node:assert/strict";
import { createRng } from "../../../src/base/rng.ts";
import { CORRECTIONS } from "../../../src/statistics/corrections/mod.ts";
import { assertAtMost } from "../../assert_that.ts";

/** The number of p that the procedure rejects at a level, by its definition: sorted p against one limit for each rank. */
function rejected(
  p: readonly number[],
  limit: (rank: number, m: number) => number,
  way: "up" | "down",
): number {
  const sorted = p.toSorted((a, b) => a - b), m = p.length;
  const holds = sorted.map((value, at) => value <= limit(at + 1, m));
  if (way === "up") return holds.lastIndexOf(true) + 1;
  const first = holds.indexOf(false);
  return first < 0 ? m : first;
}

Deno.test("adjusted p up to a level are those that the procedures reject by their definitions", () => {
  const rng = createRng(11);
  const harmonic = (m: number) =>
    Array.from({ length: m }, (_, k) => 1 / (k + 1)).reduce((a, b) => a + b);
  for (let trial = 0; trial < 300; trial++) {
    const m = 1 + rng.below(30), alpha = .01 + .2 * rng.uniform();
    const p = Array.from({ length: m }, () => rng.uniform() ** (1 + 3 * rng.below(2)));
    const limits = {
      "benjamini-hochberg": [(rank: number) => alpha * rank / m, "up"],
      "benjamini-yekutieli": [(rank: number) => alpha * rank / m / harmonic(m), "up"],
      "bonferroni": [() => alpha / m, "down"],
      "holm": [(rank: number) => alpha / (m - rank + 1), "down"],
      "hochberg": [(rank: number) => alpha / (m - rank + 1), "up"],
    } as const;
    for (const [name, { adjust }] of Object.entries(CORRECTIONS)) {
      const [limit, way] = limits[name as keyof typeof limits];
      const taken = adjust(p).filter((value) => value <= alpha).length;
      assert.equal(taken, rejected(p, limit, way), `${name}, ${m} tests`);
    }
  }
});

Deno.test("adjusted p keep the order of p, are not below them and do not pass 1", () => {
  const rng = createRng(12);
  const p = Array.from({ length: 200 }, () => rng.uniform() ** 4);
  const order = p.map((_, at) => at).sort((i, j) => p[i] - p[j]);
  for (const { name, adjust } of Object.values(CORRECTIONS)) {
    const adjusted = adjust(p);
    order.forEach((at, rank) => {
      assertAtMost(p[at], adjusted[at], name);
      assertAtMost(adjusted[at], 1, name);
      if (rank > 0) assertAtMost(adjusted[order[rank - 1]], adjusted[at], name);
    });
  }
});

Deno.test("a test that could not be made stays NaN and does not count", () => {
  for (const { name, adjust } of Object.values(CORRECTIONS)) {
    const [first, gap, second] = adjust([.01, NaN, .04]);
    assert.deepEqual([first, second], Array.from(adjust([.01, .04])), name);
    assert.equal(gap, NaN);
    assert.equal(adjust([]).length, 0);
  }
});

Deno.test("every correction is listed under its own name", () => {
  for (const [name, correction] of Object.entries(CORRECTIONS)) assert.equal(correction.name, name);
});
