import assert from "node:assert/strict";
import { occlusion } from "../../../src/experiments/axioms/occlusion.ts";
import { floats, type Tensor } from "../../../src/base/tensor.ts";
import { gradCam } from "../../../src/methods/grad_cam.ts";
import { occlusion as sensitivity } from "../../../src/methods/occlusion.ts";
import type { Method, MethodContext } from "../../../src/methods/mod.ts";
import { toFloats } from "../../../src/runtime/session.ts";
import { figure, withAxiomContext } from "./support.ts";
import { assertLess, assertMore } from "../../assert_that.ts";

/** The map of the falls themselves, changed by `change`. */
function falls(change: (value: number) => number): Method {
  return {
    ...sensitivity,
    name: "falls",
    rectify: false,
    async compute(context: MethodContext, classes: readonly number[]) {
      const found = await sensitivity.compute(context, classes);
      assert.ok("map" in found, Object.keys(found).join());
      const { shape, data } = await toFloats(found.map);
      return { map: floats(shape, data.map(change)) };
    },
  };
}

Deno.test("the occlusion axiom is 1 for any rising function of the falls, and −1 for a falling one", async () => {
  await withAxiomContext(async (context) => {
    const rising = figure(await occlusion.check(context, falls((value) => Math.atan(3 * value))));
    // Values that differ by less than a float32 of the normalised map can tie.
    assertMore(rising, 1 - 1e-3);
    const falling = figure(await occlusion.check(context, falls((value) => -value)));
    assertLess(falling, -1 + 1e-3);
  });
});

Deno.test("the occlusion axiom skips constant maps, and what has no score to lower", async () => {
  await withAxiomContext(async (context) => {
    assert.deepEqual(await occlusion.check(context, falls(() => 2)), {
      skipped: "all maps are constant",
    });
    const unscored = {
      ...context,
      classifier: { ...context.classifier, hasLogits: false },
      target: "logit" as const,
    };
    const found = await occlusion.check(unscored, falls((value) => value));
    assert.ok("skipped" in found, Object.keys(found).join());
    assert.match(found.skipped, /needs logits/);
  });
});

Deno.test("the occlusion axiom says where it is the score that does not move", async () => {
  await withAxiomContext(async (context) => {
    const { classifier } = context;
    const still = {
      ...context,
      classifier: {
        ...classifier,
        async evaluate(inputs: Tensor) {
          const scores = await classifier.evaluate(inputs);
          const { shape, data } = scores.logits!;
          return { ...scores, logits: floats(shape, data.map(() => 3)) };
        },
      },
    };
    assert.deepEqual(await occlusion.check(still, gradCam), {
      skipped: "the score falls alike wherever a patch lies",
    });
  });
});

Deno.test("the occlusion axiom does not compare occlusion sensitivity with itself", () => {
  assert.equal(occlusion.applies(sensitivity), false);
  assert.equal(occlusion.applies(falls((value) => value)), true);
});
