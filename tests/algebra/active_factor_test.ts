import assert from "node:assert/strict";
import { Matrix, solve } from "ml-matrix";
import { createRng } from "../../src/base/rng.ts";
import { ActiveFactor } from "../../src/algebra/active_factor.ts";
import { assertClose } from "../assert_close.ts";

/** A random symmetric, positive definite matrix, row-major. */
function definite(size: number, seed: number): Float64Array {
  const rng = createRng(seed);
  const rows = Array.from(
    { length: size + 3 },
    () => Array.from({ length: size }, () => rng.normal()),
  );
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      matrix[i * size + j] = rows.reduce((sum, row) => sum + row[i] * row[j], 0);
    }
  }
  return matrix;
}

Deno.test("whatever comes and goes, the factor solves the part of the matrix that is there", () => {
  const size = 12;
  for (let seed = 1; seed <= 5; seed++) {
    const matrix = definite(size, seed);
    const factor = new ActiveFactor(matrix, size);
    const rng = createRng(seed).split("changes");
    for (let change = 0; change < 60; change++) {
      const out = Array.from({ length: size }, (_, i) => i)
        .filter((i) => !factor.members.includes(i));
      const isRemoval = factor.members.length > 0 && (out.length === 0 || rng.uniform() < 0.45);
      if (isRemoval) factor.remove(rng.below(factor.members.length));
      else assert.equal(factor.append(out[rng.below(out.length)]), true);
      const { members } = factor;
      if (members.length === 0) continue;
      const b = Float64Array.from(members, () => rng.normal());
      const part = new Matrix(members.map((i) => members.map((j) => matrix[i * size + j])));
      const expected = solve(part, Matrix.columnVector([...b])).to1DArray();
      const scale = Math.max(...expected.map(Math.abs));
      assertClose(factor.solve(b), expected, 1e-9 * scale);
    }
  }
});

Deno.test("a row that depends on those that are there is not added", () => {
  // The third is the sum of the first two.
  const factor = new ActiveFactor(Float64Array.of(2, 1, 3, 1, 2, 3, 3, 3, 6), 3);
  assert.equal(factor.append(0), true);
  assert.equal(factor.append(2), true);
  assert.equal(factor.append(1), false);
  assert.deepEqual(factor.members, [0, 2]);
  factor.remove(0);
  assert.equal(factor.append(1), true);
  assert.deepEqual(factor.members, [2, 1]);
});
