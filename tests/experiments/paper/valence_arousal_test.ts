import assert from "node:assert/strict";
import { emotionAnnotationIncidence } from "../../../src/experiments/paper/analyses.ts";
import { valenceArousal } from "../../../src/experiments/paper/valence_arousal.ts";
import { expected, input, settings } from "./corpus.ts";
import { assertClose } from "../../assert_close.ts";
import { assertEvery } from "../../assert_that.ts";

const { rows } = emotionAnnotationIncidence(input, settings);

Deno.test("coefficients, p values and the 4 × 4 matrices are scipy's and pandas'", () => {
  const result = valenceArousal(rows);
  for (const quantity of ["valence", "arousal"] as const) {
    const { n, pearson, spearman } = expected[quantity];
    const got = result[quantity];
    assert.equal(got.pearson.n, n);
    for (
      const [value, wanted] of [
        [got.pearson.r, pearson[0]],
        [got.pearson.p, pearson[1]],
        [got.spearman.r, spearman[0]],
        [got.spearman.p, spearman[1]],
      ] as const
    ) {
      assertClose(value, wanted!, 1e-12, quantity);
    }
  }
  for (const coefficient of ["pearson", "spearman"] as const) {
    const wanted = expected[`quantities_${coefficient}`].flat();
    assertClose(result[coefficient].flat(), wanted, 1e-12);
  }
});

Deno.test("rows without a value are left out of its pairs only", () => {
  const without = rows.map((row, at) => {
    const { valence: _, ...rest } = row.prediction;
    return at < 5 ? { ...row, prediction: rest } : row;
  });
  const all = valenceArousal(rows), some = valenceArousal(without);
  assert.equal(some.valence.pearson.n, rows.length - 5);
  assert.deepEqual(some.arousal, all.arousal);
  assert.deepEqual(some.valence, valenceArousal(rows.slice(5)).valence);
  assert.equal(some.pearson[2][3], all.pearson[2][3]);
});

Deno.test("no rows: NaN, no error", () => {
  const { valence, pearson } = valenceArousal([]);
  assert.deepEqual(valence.pearson, { r: NaN, p: NaN, n: 0 });
  assertEvery(pearson.flat(), Number.isNaN);
});
