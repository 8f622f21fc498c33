import assert from "node:assert/strict";
import { createRng } from "../../../src/base/rng.ts";
import { COMPARISONS } from "../../../src/statistics/rdm/comparisons/mod.ts";
import { dissimilarities } from "../../../src/statistics/rdm/dissimilarities.ts";
import { DISTANCES } from "../../../src/statistics/rdm/distances/mod.ts";
import { noiseCeiling } from "../../../src/statistics/rdm/noise_ceiling.ts";
import { assertClose } from "../../assert_close.ts";
import { assertCeilings, assertComparisons, assertRdms } from "./rdm_cases.ts";

const casesOf = (name: string) =>
  JSON.parse(
    Deno.readTextFileSync(new URL(`../../golden/statistics/${name}.json`, import.meta.url)),
  ).cases;

Deno.test("distances between rows are scipy's and rsatoolbox's", () => {
  casesOf("05a_rdms").forEach(assertRdms);
});

Deno.test("comparisons of RDMs are rsatoolbox's, whitened ones with a sigma the definition's", () => {
  casesOf("05b_rdm_compare").forEach(assertComparisons);
});

Deno.test("noise ceilings are rsatoolbox's", () => {
  casesOf("05c_noise_ceiling").forEach(assertCeilings);
});

Deno.test("an RDM is like itself by every comparison, and scale does not matter", () => {
  const rng = createRng(5);
  const rows = Array.from({ length: 7 }, () => Array.from({ length: 5 }, () => rng.normal()));
  const rdm = dissimilarities(rows, DISTANCES["squared-euclidean"]);
  for (const comparison of Object.values(COMPARISONS)) {
    assertClose(comparison.value(rdm, rdm.map((d) => 3 * d)), 1, { absolute: 1e-9 });
  }
});

Deno.test("what cannot be compared is NaN or refused", () => {
  assert.throws(() => dissimilarities([[1, 2], [1]], DISTANCES.cosine), /unequal length: 2 and 1/);
  assert.equal(DISTANCES.correlation.between([1, 1], [1, 2]), NaN);
  assert.equal(COMPARISONS.cosine.value([0, 0, 0], [1, 2, 3]), NaN);
  const { lower, upper } = noiseCeiling([[1, 2, 3]], COMPARISONS.cosine);
  assert.deepEqual([lower, upper], [NaN, NaN]);
  assert.throws(() => noiseCeiling([[1], [1, 2]], COMPARISONS.cosine), /unequal/);
});
