/** Ten corpora of each size give the claims of the reference study, seed by seed. */

import golden from "../golden/statistics/null_study.json" with { type: "json" };
import { assertStudyCase } from "./null_study_case.ts";

for (const size of [2000, 8000, 25869]) {
  Deno.test(`ten corpora of ${size} images give the reference's claims, by seed`, () => {
    for (const one of golden.cases.filter(({ input }) => input.n_images === size)) {
      assertStudyCase(one);
    }
  });
}
