import assert from "node:assert/strict";
import { cascade, steps } from "../../src/experiments/cascade.ts";
import { centre } from "../../src/methods/centre.ts";
import { gradCam } from "../../src/methods/grad_cam.ts";
import { sobel } from "../../src/methods/sobel.ts";
import { withAxiomContext } from "./axioms/support.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("steps() doubles and ends with all layers", () => {
  assert.deepEqual(steps(13), [1, 2, 4, 8, 13]);
  assert.deepEqual(steps(8), [1, 2, 4, 8]);
  assert.deepEqual(steps(1), [1]);
  assert.deepEqual(steps(0), []);
});

Deno.test("the cascade leaves maps that ignore the model at 1, and takes Grad-CAM far from it", async () => {
  await withAxiomContext(async (context) => {
    const found = await Array.fromAsync(cascade(context, [gradCam, sobel, centre]));
    assert.deepEqual(found.map(({ layers }) => layers), [1, 2, 4, 8, 13]);
    for (const { correlations } of found) {
      assertClose(correlations[1], 1, 1e-6);
      assertClose(correlations[2], 1, 1e-6);
    }
    const last = found.at(-1)!.correlations[0];
    assertClose(last, 0, 0.5, `Grad-CAM of a model that has learned nothing: ${last}`);
  });
});
