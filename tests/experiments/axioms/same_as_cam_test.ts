import assert from "node:assert/strict";
import { sameAsCam } from "../../../src/experiments/axioms/same_as_cam.ts";
import { gradCam } from "../../../src/methods/grad_cam.ts";
import { randomMap } from "../../../src/methods/random_map.ts";
import { figure, withAxiomContext } from "./support.ts";
import { assertLess, assertMore } from "../../assert_that.ts";

Deno.test("Grad-CAM of the shipped classifier is CAM, and another map is not", async () => {
  await withAxiomContext(async (context) => {
    assertLess(figure(await sameAsCam.check(context, gradCam)), 1e-6);
    assertMore(figure(await sameAsCam.check(context, randomMap)), 0.1);
    const skipped = await sameAsCam.check({ ...context, target: "probability" }, gradCam);
    assert.deepEqual(skipped, { skipped: "the target is probability" });
  });
});
