import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import {
  agreement,
  agreementOfHalves,
  agreementTest,
  smoothedLogLift,
} from "../../src/statistics/agreement.ts";
import { dice } from "../../src/statistics/measures/dice.ts";
import { phi } from "../../src/statistics/measures/phi.ts";
import { assertClose } from "../assert_close.ts";
import { assertAtLeast, assertAtMost, assertLess, assertMore } from "../assert_that.ts";
import { nullTests, twoMethods } from "./agreement_cases.ts";

Deno.test("agreement on the same images and by halves is the reference's, three measures", () => {
  const { cases } = JSON.parse(
    Deno.readTextFileSync(new URL("../golden/statistics/end_to_end.json", import.meta.url)),
  );
  for (const { input, expected } of cases) {
    const { data, halves } = twoMethods(input.seed, input.n_images, input.mode);
    for (const [name, measure] of Object.entries({ dice, phi, log_lift: smoothedLogLift })) {
      const { same_images, split_half } = expected.cross_method_spearman[name];
      assertClose(agreement(data, measure), same_images, { absolute: 1e-9 }, `${name}, same`);
      assertClose(agreement(data, measure, halves), split_half, { absolute: 1e-9 }, name);
    }
  }
});

Deno.test("without any association the published comparison is high, and so is its null; halves by phi have none", () => {
  for (const { rho, nullMean, p } of nullTests(4, "published")) {
    assertMore(rho, .55);
    assertClose(rho, nullMean, { absolute: .1 });
    assertMore(p.greater, .01);
  }
  for (const { rho, nullMean } of nullTests(4, "halves")) {
    assertLess(Math.abs(rho), .12);
    assertLess(Math.abs(nullMean), .02);
  }
});

Deno.test("a structure that is there is found by halves", () => {
  const { data, halves } = twoMethods("7", 8000, "planted");
  const { p } = agreementTest(data, {
    measure: phi,
    halves,
    permutations: 99,
    rng: createRng(1),
  });
  // Six true cells of 800 and those that follow them: a rank correlation over all cells sees little of it.
  assertAtMost(p.greater, .05);
  assertAtMost(p["two-sided"], .05);
});

Deno.test("random halves have a seed, and the mean of theirs is near 0 without association", () => {
  const { data } = twoMethods("3", 2000, "null");
  const { mean, rhos } = agreementOfHalves(data, phi, 20, createRng(2));
  assert.deepEqual(agreementOfHalves(data, phi, 5, createRng(2)).rhos, rhos.slice(0, 5));
  assertAtMost(Math.abs(mean), .12);
  assertAtLeast(new Set(rhos).size, 20);
});

Deno.test("without images there is no agreement and no p", () => {
  const nothing = { first: [0], object: [] };
  const data = { methods: [nothing, nothing], label: [], objects: 2, classes: 2 } as const;
  const found = agreementTest(data, { measure: phi, permutations: 9, rng: createRng(1) });
  assert.deepEqual([found.rho, found.nullMean, found.p.greater], [NaN, NaN, NaN]);
});
