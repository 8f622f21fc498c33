import assert from "node:assert/strict";
import { Matrix, pseudoInverse } from "ml-matrix";
import { createRng } from "../../src/base/rng.ts";
import { leastSquares } from "../../src/algebra/least_squares.ts";
import { assertClose } from "../assert_close.ts";

/** x = Aᵀu */
function shortest(rows: readonly (readonly number[])[], b: readonly number[]): number[] {
  const products = rows.flatMap((p) => rows.map((q) => p.reduce((sum, x, k) => sum + x * q[k], 0)));
  const u = leastSquares(Float64Array.from(products), rows.length)(Float64Array.from(b));
  return rows[0].map((_, j) => rows.reduce((sum, row, i) => sum + row[j] * u[i], 0));
}

function check(rows: readonly (readonly number[])[], b: readonly number[], tolerance: number) {
  const found = shortest(rows, b);
  const expected = pseudoInverse(new Matrix(rows.map((row) => [...row])), 1e-10)
    .mmul(Matrix.columnVector([...b])).to1DArray();
  const scale = Math.max(...expected.map(Math.abs), 1e-300);
  assertClose(found, expected, tolerance * scale);
}

Deno.test("leastSquares fits a line through three points", () => {
  const [slope, start] = shortest([[0, 1], [1, 1], [2, 1]], [0, 1, 5]);
  assertClose(slope!, 2.5, 1e-14);
  assertClose(start!, -0.5, 1e-14);
});

Deno.test("leastSquares equals the pseudo-inverse of a singular value decomposition", () => {
  const rng = createRng(4);
  for (
    const [m, n, rank] of [[9, 5, 5], [5, 9, 5], [7, 7, 7], [12, 8, 3], [8, 12, 3], [
      6,
      6,
      1,
    ]] as const
  ) {
    const left = Array.from({ length: m }, () => Array.from({ length: rank }, () => rng.normal()));
    const right = Array.from({ length: rank }, () => Array.from({ length: n }, () => rng.normal()));
    const rows = left.map((row) =>
      right[0].map((_, j) => row.reduce((sum, x, k) => sum + x * right[k][j], 0))
    );
    check(rows, rows.map(() => rng.normal()), 1e-10);
  }
});

Deno.test("leastSquares takes repeated and opposite rows of whole numbers, and zeros", () => {
  check([[1, 0, -1], [1, 0, -1], [-1, 0, 1], [0, 0, 2]], [1, 2, 3, 4], 1e-13);
  assert.deepEqual(shortest([[0, 0], [0, 0], [0, 0]], [1, 1, 1]), [0, 0]);
  assert.equal(leastSquares(new Float64Array(0), 0)(new Float64Array(0)).length, 0);
});
