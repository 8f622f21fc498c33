import assert from "node:assert/strict";
import { completeness } from "../../../src/experiments/axioms/completeness.ts";
import { fullGrad } from "../../../src/methods/full_grad.ts";
import { integratedGradients } from "../../../src/methods/integrated_gradients.ts";
import { kernelShapCam } from "../../../src/methods/kernel_shap_cam.ts";
import { lrpCamBy } from "../../../src/methods/lrp_cam.ts";
import { augSmooth, type CompositeName, COMPOSITES } from "../../../src/methods/mod.ts";
import { liftCam } from "../../../src/methods/lift_cam.ts";
import { figure, withAxiomContext } from "./support.ts";
import { assertLess, assertMore } from "../../assert_that.ts";

Deno.test("LIFT-CAM, KernelSHAP-CAM, Integrated Gradients and FullGrad are complete on the shipped classifier", async () => {
  for (const target of ["logit", "probability"] as const) {
    await withAxiomContext(async (context) => {
      for (const method of [liftCam, kernelShapCam, integratedGradients, fullGrad]) {
        const value = figure(await completeness.check(context, method));
        assertLess(value, 1e-4, `${method.name}, ${target}`);
      }
    }, () => ({ target }));
  }
});

Deno.test("LRP-CAM conserves relevance on the shipped classifier, by every composite", async () => {
  await withAxiomContext(async (context) => {
    for (const composite of Object.keys(COMPOSITES) as CompositeName[]) {
      const method = lrpCamBy(composite);
      assert.equal(completeness.applies(method), true, method.name);
      const value = figure(await completeness.check(context, method));
      assertLess(value, 1e-4, method.name);
    }
  });
  // The map of a modified method is not a sum of relevance.
  assert.equal(completeness.applies(augSmooth.apply(lrpCamBy("gamma"))), false);
});

Deno.test("completeness notices a head whose scores at the baseline are others", async () => {
  const value = await withAxiomContext(
    async (context) => figure(await completeness.check(context, liftCam)),
    (classifier) => ({
      classifier: {
        ...classifier,
        async evaluateHead(activations, forward, row) {
          const { logits, probabilities } = await classifier.evaluateHead(
            activations,
            forward,
            row,
          );
          const shifted = { ...logits!, data: logits!.data.map((value) => value + 0.01) };
          return { logits: shifted, probabilities };
        },
      },
    }),
  );
  assertMore(value, 1e-4);
});
