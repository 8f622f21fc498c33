import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { createRng } from "../../src/base/rng.ts";
import { Accumulator } from "../../src/association/accumulator.ts";
import {
  type AssociationMatrix,
  associationMatrix,
  matrixCsv,
} from "../../src/association/matrices.ts";
import { MEASURES } from "../../src/statistics/measures/mod.ts";

const MATRIX: AssociationMatrix = {
  measure: "phi",
  units: "phi, −1..1",
  signed: true,
  method: "grad-cam",
  threshold: .3,
  objects: ["Dog", 'a "b", c', "two\nlines", "cr\ronly"],
  classes: ["joy, great", "fear"],
  values: Float64Array.of(.1 + .2, NaN, 1e-7, -0, 1e21, .5, .5, -1),
};

Deno.test("a matrix as CSV, byte for byte", () => {
  assert.equal(
    matrixCsv(MATRIX),
    'object,"joy, great",fear\n' +
      "Dog,0.30000000000000004,NaN\n" +
      '"a ""b"", c",1e-7,0\n' +
      '"two\nlines",1e+21,0.5\n' +
      '"cr\ronly",0.5,-1\n',
  );
});

Deno.test("a matrix as CSV reads back to the last bit", () => {
  const rng = createRng(17);
  const values = Float64Array.from({ length: 8 }, () => rng.normal() * 10 ** (rng.below(30) - 15));
  const [header, ...lines] = parse(matrixCsv({ ...MATRIX, values }));
  assert.deepEqual(header, ["object", ...MATRIX.classes]);
  assert.deepEqual(lines.map((line) => line[0]), MATRIX.objects);
  assert.deepEqual(lines.flatMap((line) => line.slice(1).map(Number)), [...values]);
});

Deno.test("objects come by code point, whatever the order they were met in", () => {
  // In UTF-16 units 𝒹 (U+1D4B9) would come before ｄ (U+FF44).
  const order = ["Dog", "Zebra", "ant", "ｄ", "𝒹", "𝒹a"];
  for (const labels of [order, order.toReversed()]) {
    const counts = new Accumulator({ classes: ["joy"], threshold: .3 });
    for (const label of labels) {
      counts.add({ predicted: 0, targets: [0], scores: [{ label, class: 0, importance: 1 }] });
    }
    const matrix = associationMatrix(counts, MEASURES.count, "grad-cam");
    assert.deepEqual(matrix.objects, order);
    assert.deepEqual([...matrix.values], [1, 1, 1, 1, 1, 1]);
  }
  const bytes = (text: string) => new TextEncoder().encode(text).toHex();
  assert.deepEqual(order.toSorted((a, b) => bytes(a) < bytes(b) ? -1 : 1), order);
});
