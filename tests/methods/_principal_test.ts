import assert from "node:assert/strict";
import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from "ml-matrix";
import { createRng } from "../../src/base/rng.ts";
import { largestEigenpair, orient, principalProjection } from "../../src/methods/_principal.ts";
import { assertClose } from "../assert_close.ts";
import { assertEvery } from "../assert_that.ts";

const multiplyBy = (matrix: Matrix) => (x: Float64Array, y: Float64Array) => {
  y.set(matrix.mmul(Matrix.columnVector([...x])).to1DArray());
};

/** A symmetric matrix with these eigenvalues and random eigenvectors. */
function withSpectrum(values: readonly number[]): Matrix {
  const rng = createRng(3);
  const n = values.length;
  const random = new Matrix(
    Array.from({ length: n }, () => Array.from({ length: n }, () => rng.normal())),
  );
  const vectors = new EigenvalueDecomposition(random.add(random.transpose())).eigenvectorMatrix;
  return vectors.mmul(Matrix.diag([...values])).mmul(vectors.transpose());
}

Deno.test("largestEigenpair finds the largest eigenvalue, not the largest in magnitude", () => {
  const matrix = withSpectrum([-50, -3, 0, 0.5, 2, 7, 7.01, 1, -9, 4, 4, 4]);
  const { value, vector } = largestEigenpair(12, multiplyBy(matrix));
  assertClose(value, 7.01, 1e-9);
  const image = matrix.mmul(Matrix.columnVector([...vector])).to1DArray();
  image.forEach((entry, i) => assertClose(entry, value * vector[i], 1e-8));
});

Deno.test("largestEigenpair of matrices that end it early: zero, identity, rank 1, one row", () => {
  const zero = largestEigenpair(5, multiplyBy(Matrix.zeros(5, 5)));
  assert.equal(zero.value, 0);
  const same = largestEigenpair(5, multiplyBy(Matrix.eye(5).mul(3)));
  assertClose(same.value, 3, 1e-12);
  const u = Matrix.columnVector([1, -2, 2]);
  const one = largestEigenpair(3, multiplyBy(u.mmul(u.transpose())));
  assertClose(one.value, 9, 1e-12);
  orient(one.vector).forEach((entry, i) =>
    assertClose(Math.abs(entry), Math.abs([1, -2, 2][i]) / 3, 1e-12)
  );
  assertClose(largestEigenpair(1, multiplyBy(new Matrix([[-4]]))).value, -4, 1e-12);
});

Deno.test("largestEigenpair gives NaN for a NaN instead of running on", () => {
  assert.equal(largestEigenpair(3, multiplyBy(Matrix.eye(3).mul(NaN))).value, NaN);
});

Deno.test("principalProjection equals the full singular value decomposition's, whichever side is longer", () => {
  for (const [cells, channels] of [[12, 40], [60, 9], [30, 30]] as const) {
    const rng = createRng(cells);
    const values = Float64Array.from({ length: cells * channels }, () => Math.max(0, rng.normal()));
    const matrix = new Matrix(cells, channels);
    for (let k = 0; k < channels; k++) {
      for (let i = 0; i < cells; i++) matrix.set(i, k, values[k * cells + i]);
    }
    const mean = matrix.mean("row");
    const centred = matrix.clone().center("column");
    const { rightSingularVectors } = new SingularValueDecomposition(centred, {
      autoTranspose: true,
    });
    const expected = centred.mmul(rightSingularVectors.getColumnVector(0)).to1DArray();
    const agreement = expected.reduce((sum, value, i) => sum + value * mean[i], 0);
    const signed = expected.map((value) => Math.sign(agreement) * value);
    const found = principalProjection(values, cells);
    assertClose([...found], signed, { ofRange: 1e-9 });
  }
});

Deno.test("principalProjection of constant channels is 0", () => {
  const projection = principalProjection(new Float64Array([2, 2, 2, 5, 5, 5]), 3);
  assert.ok(projection.every((value) => value === 0), String(projection));
});

Deno.test("orient turns towards a reference, and without one makes the largest entry positive", () => {
  assert.deepEqual([...orient(new Float64Array([1, -3]), new Float64Array([5, 1]))], [1, -3]);
  assert.deepEqual([...orient(new Float64Array([1, -3]), new Float64Array([1, 1]))], [-1, 3]);
  assert.deepEqual([...orient(new Float64Array([1, -3]))], [-1, 3]);
  assert.deepEqual([...orient(new Float64Array([1, -3]), new Float64Array([3, 1]))], [-1, 3]);
});

Deno.test("principalProjection of constant channels is 0 where rounding leaves something of them", () => {
  for (const cells of [64, 169, 196, 1024]) {
    const levels = [0.1, 3.7, 1234.5].map((level) => Math.fround(level) * Math.fround(0.0173));
    const values = Float64Array.from(
      { length: cells * 3 },
      (_, i) => levels[Math.floor(i / cells)],
    );
    const projection = principalProjection(values, cells);
    assert.ok(projection.every((value) => value === 0), `${cells}: ${Math.max(...projection)}`);
  }
});

Deno.test("principalProjection sees variation far below a channel's level, and keeps a NaN", () => {
  const pattern = [-3, 1, 2];
  const faint = principalProjection(Float64Array.from(pattern, (v) => 1 + 1e-9 * v), 3);
  assertClose([...faint], pattern.map((v) => 1e-9 * v), { ofRange: 1e-6 });
  assertEvery(principalProjection(new Float64Array([1, NaN, 2]), 3), Number.isNaN);
});
