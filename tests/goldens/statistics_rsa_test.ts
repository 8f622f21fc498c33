/** Rank correlations, Mantel's test, RDMs and their comparison over all reference cases. */

import { assertAtLeast } from "../assert_that.ts";
import { goldenTest } from "../shared_goldens.ts";
import { assertKendall, assertMantel } from "../statistics/rank_cases.ts";
import { assertCeilings, assertComparisons, assertRdms } from "../statistics/rdm/rdm_cases.ts";

for (
  const [file, assertCase, count] of [
    ["04a_correlation", assertKendall, 16],
    ["04b_mantel", assertMantel, 6],
    ["05a_rdms", assertRdms, 3],
    ["05b_rdm_compare", assertComparisons, 5],
    ["05c_noise_ceiling", assertCeilings, 4],
  ] as const
) {
  goldenTest(`every case of ${file} has the reference's values`, (goldens) => {
    const { cases } = JSON.parse(
      Deno.readTextFileSync(new URL(`statistics/${file}.json`, goldens)),
    );
    assertAtLeast(cases.length, count);
    cases.forEach(assertCase);
  });
}
