/**
 * The axioms about numbers (sums, masks, CAM) on five families of nets: they hold for the methods as they are, and fail for one whose
 * numbers are wrong by a thousandth. (What holds of pictures, such as mirroring, depends on what a net has learned; these have learned
 * nothing.)
 */

import { type Axiom, type AxiomContext, AXIOMS } from "../../../src/experiments/axioms/mod.ts";
import { completeness } from "../../../src/experiments/axioms/completeness.ts";
import { masks } from "../../../src/experiments/axioms/masks.ts";
import { sameAsCam } from "../../../src/experiments/axioms/same_as_cam.ts";
import { ablationCam } from "../../../src/methods/ablation_cam.ts";
import { type Method, METHODS } from "../../../src/methods/mod.ts";
import type { Target } from "../../../src/classifier/target.ts";
import { createCompute } from "../../../src/gpu/create_compute.ts";
import { assertAtLeast, assertAtMost, assertMore } from "../../assert_that.ts";
import { noise } from "../../onnx/native.ts";
import { FAMILIES, family } from "./families.ts";

const SEEDS = 2;
const FAULT = 1.001;
const compute = await createCompute("cpu");
const keys = ["a", "b"];

/** The methods of which an axiom speaks and that run fast enough for a test: one for the masks, which all share. */
function methodsOf(axiom: Axiom): readonly Method[] {
  if (axiom === masks) return [ablationCam];
  return METHODS.filter((method) => axiom.applies(method) && method.name !== "kernel-shap-cam");
}

/** The method with its contributions wrong. */
function withWrongSums(method: Method): Method {
  return {
    ...method,
    sums: async (...given) =>
      (await method.sums!(...given)).map((sum) => ({ ...sum, sum: sum.sum * FAULT })),
  };
}

async function contextsOf(
  name: keyof typeof FAMILIES,
  layer: string,
  use: (context: AxiomContext) => Promise<void>,
): Promise<void> {
  for (let seed = 0; seed < SEEDS; seed++) {
    const classifier = await family(name, seed, layer);
    try {
      const inputs = noise([2, 3, 64, 64], 100 + seed);
      // The class that is predicted, as `check` does: of others, a probability may be small at both ends of Integrated Gradients' path and
      // large in between, where its rule for the integral leaves more than 1e-4 of the change.
      const { data, shape: [, count] } = (await classifier.evaluate(inputs)).probabilities;
      const classes = keys.map((_, row) => {
        const own = data.subarray(row * count, (row + 1) * count);
        return own.indexOf(Math.max(...own));
      });
      for (const target of ["logit", "probability"] as Target[]) {
        const other = () => Promise.resolve(undefined);
        await use({ classifier, compute, inputs, keys, classes, target, seed, other });
      }
    } finally {
      await classifier.dispose();
    }
  }
}

for (const [name, { layers }] of Object.entries(FAMILIES)) {
  for (const layer of layers) {
    Deno.test(`sums, masks and CAM hold, and fail where numbers are wrong: ${name} at its ${layer} layer`, async () => {
      let figures = 0;
      await contextsOf(name as keyof typeof FAMILIES, layer, async (context) => {
        for (const axiom of [completeness, masks, sameAsCam]) {
          for (const method of methodsOf(axiom)) {
            if (method.unsupported(context.classifier, context.target)) continue;
            const finding = await axiom.check(context, method);
            if ("skipped" in finding) continue;
            figures++;
            const what = `${axiom.name}, ${method.name}, ${context.target}`;
            assertAtMost(finding.value, (axiom.bound as { atMost: number }).atMost, what);
            if (axiom !== completeness) continue;
            const wrong = await axiom.check(context, withWrongSums(method));
            assertMore("value" in wrong ? wrong.value : 0, 1e-4, `${what}, wrong`);
          }
        }
      });
      // Four methods under two targets and more.
      assertAtLeast(figures, SEEDS * 8);
    });
  }
}

Deno.test("the axioms about numbers are among those that are checked", () => {
  for (const axiom of [completeness, masks, sameAsCam]) assertAtLeast(AXIOMS.indexOf(axiom), 0);
});
