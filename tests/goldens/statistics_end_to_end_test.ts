/** All synthetic corpora of the reference, and the rates of false and true claims over their seeds. */

import assert from "node:assert/strict";
import { assertAtLeast, assertAtMost } from "../assert_that.ts";
import { goldenTest } from "../shared_goldens.ts";
import { corpusLines, linesSha256, makeCorpus } from "../statistics/end_to_end.ts";
import { assertCrossMethod, assertMethod, type MethodCase } from "../statistics/end_to_end_case.ts";
import { incidenceOf } from "../statistics/end_to_end_tables.ts";
import { assertStudyCase, type StudyCase } from "../statistics/null_study_case.ts";

const read = (goldens: URL, file: string) =>
  JSON.parse(Deno.readTextFileSync(new URL(`statistics/${file}`, goldens)));

goldenTest(
  "corpora of the specification have the reference's statistics, both methods",
  (goldens) => {
    const { cases } = read(goldens, "11_end_to_end.json");
    assert.equal(cases.length, 4);
    for (const { input, expected } of cases) {
      const corpus = makeCorpus(input.seed, input.n_images, input.mode);
      const { images, boxes } = corpusLines(corpus);
      assert.equal(linesSha256(images), expected.sha256_images);
      assert.equal(linesSha256(boxes), expected.sha256_boxes);
      if (expected.first_lines) {
        assert.deepEqual(images.slice(0, 3), expected.first_lines.images);
        assert.deepEqual(boxes.slice(0, 12), expected.first_lines.boxes);
      }
      const incidence = incidenceOf(corpus);
      assert.equal(expected.methods.length, 2);
      for (const method of expected.methods as MethodCase[]) assertMethod(incidence, method);
      assertCrossMethod(incidence, expected.cross_method_spearman);
    }
  },
);

/** Seeds of a size; the share of the six true cells that are claimed at least; confounded cells that the screen leaves, if stated. */
for (
  const [size, seeds, power, confounded] of [
    [2000, 200, .55, undefined],
    [8000, 200, .99, undefined],
    [25869, 50, 1, 35],
  ] as const
) {
  goldenTest(
    `${seeds} corpora of ${size} images give the reference's claims, by seed`,
    (goldens) => {
      const { cases } = read(goldens, "11b_null_study.json") as { cases: StudyCase[] };
      const found = cases.filter(({ input }) => input.n_images === size).map(assertStudyCase);
      assert.equal(found.length, seeds);
      const total = (count: (of: typeof found[number]) => number) =>
        found.reduce((sum, one) => sum + count(one), 0);
      assertAtMost(total(({ null: none }) => Number(none.fisher_bh > 0)), .08 * seeds);
      const cells = total(({ planted }) => planted.direct_found.reduce((a, b) => a + b));
      assertAtLeast(cells / (6 * seeds), power);
      const clean = total(({ planted }) => planted.clean_false);
      assertAtMost(clean / total(({ planted }) => planted.fisher_bh), .05);
      const kept = total(({ planted }) => planted.screen_direct.reduce((a, b) => a + b));
      if (size === 25869) assert.equal(kept, 6 * seeds);
      const left = total(({ planted }) => planted.screen_confounded);
      if (confounded !== undefined) assert.equal(left, confounded);
    },
  );
}
