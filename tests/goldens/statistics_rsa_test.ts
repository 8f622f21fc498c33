/** Rank correlations, Mantel's test, RDMs and their comparison over all reference cases; rates of the tests of agreement. */

import { assertAtLeast, assertAtMost, assertLess, assertMore } from "../assert_that.ts";
import { goldenTest } from "../shared_goldens.ts";
import { nullTests } from "../statistics/agreement_cases.ts";
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

for (const kind of ["published", "halves"] as const) {
  goldenTest(`${kind}: a true null is rejected in .02 to .08 of 200 corpora`, (goldens) => {
    const { cases } = JSON.parse(
      Deno.readTextFileSync(new URL("statistics/11c_calibration_reference.json", goldens)),
    );
    const tests = nullTests(cases[0].expected.seeds, kind);
    for (const side of ["greater", "two-sided"] as const) {
      const rate = tests.filter(({ p }) => p[side] <= .05).length / tests.length;
      assertAtLeast(rate, .02, side);
      assertAtMost(rate, .08, side);
    }
    const mean = tests.reduce((sum, { rho }) => sum + rho, 0) / tests.length;
    if (kind === "published") assertMore(mean, .6);
    else for (const { rho } of tests) assertLess(Math.abs(rho), .12);
  });
}
