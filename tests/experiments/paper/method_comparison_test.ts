import assert from "node:assert/strict";
import { emotionObjectIncidence } from "../../../src/experiments/paper/analyses.ts";
import { compareMethods, lowerTriangle } from "../../../src/experiments/paper/method_comparison.ts";
import { similarityMatrix, similarityNamed } from "../../../src/statistics/similarity/mod.ts";
import { assertAgrees, type GoldenNumber } from "../../statistics/golden_number.ts";
import { expected, input, settings } from "./corpus.ts";
import { assertClose } from "../../assert_close.ts";

Deno.test("the triangle below the diagonal, row by row", () => {
  const matrix = Float64Array.from([1, 9, 9, 2, 1, 9, 3, 4, 1]);
  assert.deepEqual([...lowerTriangle(matrix, 3)], [2, 3, 4]);
  assert.deepEqual([...lowerTriangle(new Float64Array([1]), 1)], []);
});

Deno.test("the comparison of three methods is that of pandas and scipy", () => {
  const vectors = input.methods.map((method) => {
    const { table } = emotionObjectIncidence(input, method, settings);
    const { values } = similarityMatrix(table.vectors, similarityNamed("dice"));
    const wanted = expected.tables[method.name as "one"].dice.flat() as GoldenNumber[];
    wanted.forEach((value, at) => assertAgrees(values[at], value, 1e-15, method.name));
    return lowerTriangle(values, table.features.length);
  });
  const { rho, p, dyads, complete } = compareMethods(vectors);
  const wanted = expected.methods_compared;
  assert.deepEqual([dyads, complete], [wanted.dyads, wanted.complete]);
  for (const [got, expectation] of [[rho, wanted.rho], [p, wanted.p]] as const) {
    got.flat().forEach((value, at) =>
      assertAgrees(value, expectation.flat()[at] as GoldenNumber, 1e-12, String(at))
    );
  }
});

Deno.test("rho is over the dyads that two define, p over those that all define", () => {
  const x = Float64Array.from([1, 2, 3, 4, NaN, 6]);
  const y = Float64Array.from([1, 2, 4, 3, 5, 9]);
  const z = Float64Array.from([NaN, NaN, 1, 2, 3, -Infinity]);
  const { rho, p, complete } = compareMethods([x, y, z]);
  assert.equal(complete, 3);
  assertClose(rho[0][1], .9, 1e-15);
  assert.equal(rho[0][0], 1);
  // Of the last, -Infinity is the lowest rank: x against z has ranks 1 2 3 and 2 3 1.
  assertClose(rho[0][2], -.5, 1e-15);
  // x and y over the three: ranks 1 2 3 and 2 1 3, r = .5, p = 2/3 at one degree of freedom.
  assertClose(p[0][1], 2 / 3, 1e-15);
  assert.equal(p[1][1], NaN);
});

Deno.test("vectors of unequal length cannot be compared", () => {
  assert.throws(() => compareMethods([new Float64Array(3), new Float64Array(4)]), RangeError);
});
