import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { lasso } from "../../src/algebra/lasso.ts";
import { assertAtMost, assertEvery, assertSome } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

/** Gram matrix and products of n random rows of p zeros and ones, centred. */
function problem(n: number, p: number, seed: number) {
  const rng = createRng(seed);
  const rows = Array.from(
    { length: n },
    () => Array.from({ length: p }, () => Number(rng.uniform() < 0.5)),
  );
  const values = Array.from({ length: n }, () => rng.normal());
  const means = rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / n);
  const gram = new Float64Array(p * p), q = new Float64Array(p);
  rows.forEach((row, i) => {
    for (let a = 0; a < p; a++) {
      q[a] += (row[a] - means[a]) * values[i] / n;
      for (let b = 0; b < p; b++) {
        gram[a * p + b] += (row[a] - means[a]) * (row[b] - means[b]) / n;
      }
    }
  });
  return { gram, q };
}

/** The largest breach of the optimality conditions: q − Gβ = α sign(β) where β ≠ 0, |q − Gβ| ≤ α elsewhere. */
function breach(gram: Float64Array, q: Float64Array, alpha: number, beta: Float64Array): number {
  const p = q.length;
  return Math.max(...Array.from(q, (value, i) => {
    let slope = value;
    for (let j = 0; j < p; j++) slope -= gram[i * p + j] * beta[j];
    return beta[i] !== 0
      ? Math.abs(slope - alpha * Math.sign(beta[i]))
      : Math.max(0, Math.abs(slope) - alpha);
  }));
}

Deno.test("lasso with independent columns shrinks each coefficient by alpha", () => {
  const gram = Float64Array.of(2, 0, 0, 0, 4, 0, 0, 0, 0);
  // The third column is constant: its coefficient stays 0.
  const solved = (...q: number[]) =>
    Array.from(lasso(gram, Float64Array.from(q), 1), (x) => Number(x.toFixed(14)));
  assert.deepEqual(solved(3, -0.5, 0), [1, 0, 0]);
  assert.deepEqual(solved(-3, 5, 0), [-1, 1, 0]);
});

Deno.test("lasso without a penalty solves the normal equations", () => {
  const beta = lasso(Float64Array.of(2, 1, 1, 3), Float64Array.of(4, 7), 0);
  assertClose(beta[0], 1, 1e-14);
  assertClose(beta[1], 2, 1e-14);
});

for (const [n, p] of [[256, 32], [48, 48], [100, 256]] as const) {
  Deno.test(`lasso fulfils its optimality conditions with ${n} rows and ${p} columns`, () => {
    for (const alpha of [0.001, 0.01, 0.05]) {
      const { gram, q } = problem(n, p, n + p);
      const beta = lasso(gram, q, alpha);
      assertSome(beta, (x) => x !== 0);
      assertSome(beta, (x) => x === 0 || alpha < 0.01);
      const found = breach(gram, q, alpha, beta);
      assertAtMost(found, 1e-12, `alpha ${alpha}`);
    }
  });
}

Deno.test("lasso gives zeros where the penalty outweighs every product", () => {
  const { gram, q } = problem(50, 10, 1);
  assertEvery(lasso(gram, q, 10), (x) => x === 0);
});
