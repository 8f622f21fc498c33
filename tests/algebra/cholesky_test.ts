import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { pivotedCholesky, solveLower, solveUpper } from "../../src/algebra/cholesky.ts";
import { assertClose } from "../assert_close.ts";

/** A Aᵀ of n random rows in `rank` dimensions. */
function made(n: number, rank: number): Float64Array {
  const rng = createRng(n * 100 + rank);
  const rows = Array.from({ length: n }, () => Array.from({ length: rank }, () => rng.normal()));
  return Float64Array.from(
    rows.flatMap((p) => rows.map((q) => p.reduce((sum, x, k) => sum + x * q[k], 0))),
  );
}

for (const [n, rank] of [[1, 1], [7, 7], [30, 11], [12, 1]] as const) {
  Deno.test(`pivotedCholesky finds rank ${rank} of ${n} rows, and its factor gives the matrix back`, () => {
    const matrix = made(n, rank);
    const factor = pivotedCholesky(matrix, n);
    assert.equal(factor.rank, rank);
    assert.deepEqual(
      [...factor.order].sort((a, b) => a - b),
      Array.from({ length: n }, (_, i) => i),
    );
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let value = 0;
        for (let k = 0; k < rank; k++) value += factor.lower[i * n + k] * factor.lower[j * n + k];
        assertClose(value, matrix[i * n + j], 1e-12 * rank, `${i} ${j}`);
      }
    }
  });
}

Deno.test("the triangular solutions of a Cholesky factor solve the system", () => {
  const n = 9;
  const matrix = made(n, n);
  const factor = pivotedCholesky(matrix, n);
  const right = Float64Array.from({ length: n }, (_, i) => i - 4);
  const ordered = Float64Array.from(factor.order, (row) => right[row]);
  const solved = solveUpper(factor, solveLower(factor, ordered));
  for (let i = 0; i < n; i++) {
    let value = 0;
    solved.forEach((x, k) => value += matrix[i * n + factor.order[k]] * x);
    assertClose(value, right[i], 1e-10, String(i));
  }
});

Deno.test("pivotedCholesky of zeros has rank 0", () => {
  assert.equal(pivotedCholesky(new Float64Array(9), 3).rank, 0);
  assert.equal(pivotedCholesky(new Float64Array(0), 0).rank, 0);
});
