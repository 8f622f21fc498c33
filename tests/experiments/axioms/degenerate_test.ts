/** Axioms with nothing to compare: inputs that are not numbers, layers that are dead, scores that do not move. */

import assert from "node:assert/strict";
import { floats } from "../../../src/base/tensor.ts";
import { checkAxioms } from "../../../src/experiments/axioms/mod.ts";
import { completeness } from "../../../src/experiments/axioms/completeness.ts";
import { gradient } from "../../../src/experiments/axioms/gradient.ts";
import { fullGrad } from "../../../src/methods/full_grad.ts";
import { gradCam } from "../../../src/methods/grad_cam.ts";
import { integratedGradients } from "../../../src/methods/integrated_gradients.ts";
import { kernelShapCam } from "../../../src/methods/kernel_shap_cam.ts";
import { layerCam } from "../../../src/methods/layer_cam.ts";
import { liftCam } from "../../../src/methods/lift_cam.ts";
import { figure, withAxiomContext } from "./support.ts";
import { noiseInputs } from "../../methods/shipped.ts";
import { assertAtMost } from "../../assert_that.ts";

Deno.test("a map that is not a number fails, and is not taken for a constant one", async () => {
  for (const rows of [[0], [0, 1, 2]]) {
    await withAxiomContext(async (context) => {
      const { shape, data } = context.inputs;
      const size = data.length / shape[0];
      const values = data.slice();
      for (const row of rows) values.fill(NaN, row * size, (row + 1) * size);
      const results = await Array.fromAsync(
        checkAxioms({ ...context, inputs: floats(shape, values) }, [layerCam]),
      );
      for (const name of ["mirror", "occlusion", "randomisation"]) {
        const { verdict, reason, value } = results.find(({ axiom }) => axiom === name)!;
        assert.deepEqual([verdict, value], ["fails", undefined], `${name}, ${rows}`);
        assert.match(reason!, /the figure is NaN: a map or score is not finite/);
      }
    });
  }
});

Deno.test("contributions of nothing to nothing are complete: an input of zeros", async () => {
  await withAxiomContext(async (context) => {
    const black = floats(context.inputs.shape, new Float32Array(context.inputs.data.length));
    const value = figure(
      await completeness.check({ ...context, inputs: black }, integratedGradients),
    );
    assert.equal(value, 0);
  });
});

Deno.test("completeness holds under every target, the margin to the sample's runner-up too", async () => {
  for (const target of ["logit", "probability", "margin"] as const) {
    await withAxiomContext(async (context) => {
      for (const method of [liftCam, kernelShapCam, integratedGradients, fullGrad]) {
        const value = figure(await completeness.check(context, method));
        assertAtMost(value, 1e-4, `${method.name}, ${target}`);
      }
    }, () => ({ target }));
  }
});

Deno.test("a probability below float32's numbers cannot be checked by differences", async () => {
  const finding = await withAxiomContext(
    async (context) => await gradient.check(context, gradCam),
    (classifier) => {
      const { shape, data } = noiseInputs(classifier, 3);
      // Logits are at −100 and less.
      const inputs = floats(shape, data.map((value) => 5 * value));
      return { target: "probability", classes: [1, 1, 1], inputs };
    },
  );
  assert.deepEqual(finding, { skipped: "the score hardly moves at any sample" });
});

Deno.test("all methods of the gradient at the layer share its check, modified ones too", () => {
  assert.equal(gradient.applies(layerCam), true);
  assert.equal(gradient.applies({ ...layerCam, name: "layer-cam+aug-smooth" }), true);
  assert.equal(gradient.applies(kernelShapCam), false);
});
