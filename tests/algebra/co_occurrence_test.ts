import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { coOccurrence } from "../../src/algebra/co_occurrence.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("coOccurrence() is the sum of the weights of the rows that both columns have", () => {
  const rng = createRng(5);
  for (const [rows, columns] of [[1, 1], [7, 3], [8, 5], [9, 4], [40, 6], [255, 17]] as const) {
    const masks = Uint8Array.from({ length: rows * columns }, () => rng.bits() & 1);
    const weights = Float64Array.from({ length: rows }, () => rng.uniform());
    const found = coOccurrence(masks, columns, weights);
    assert.equal(found.length, columns * columns);
    for (let a = 0; a < columns; a++) {
      for (let b = 0; b < columns; b++) {
        let expected = 0;
        weights.forEach((w, i) => expected += w * masks[i * columns + a] * masks[i * columns + b]);
        const what = `${rows} × ${columns}, ${a}, ${b}`;
        assertClose(found[a * columns + b], expected, 1e-14 * rows, what);
      }
    }
  }
});

Deno.test("coOccurrence() by hand: two rows of weights 2 and 5, three columns", () => {
  const found = coOccurrence(Uint8Array.of(1, 1, 0, 1, 0, 1), 3, Float64Array.of(2, 5));
  assert.deepEqual([...found], [7, 2, 5, 2, 2, 0, 5, 0, 5]);
  assert.deepEqual([...coOccurrence(new Uint8Array(0), 2, new Float64Array(0))], [0, 0, 0, 0]);
});
