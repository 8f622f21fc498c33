import { readFloats } from "../../../src/classifier/values.ts";
import { gradient } from "../../../src/experiments/axioms/gradient.ts";
import { gradCam } from "../../../src/methods/grad_cam.ts";
import { figure, withAxiomContext } from "./support.ts";
import { assertLess, assertMore } from "../../assert_that.ts";

Deno.test("the gradient axiom holds for every target of the shipped classifier", async () => {
  for (const target of ["logit", "probability", "margin"] as const) {
    const value = await withAxiomContext(
      async (context) => figure(await gradient.check(context, gradCam)),
      () => ({ target }),
    );
    assertLess(value, 1e-2, `${target}`);
  }
});

Deno.test("the gradient axiom notices a gradient that is 5 % too large", async () => {
  const value = await withAxiomContext(
    async (context) => figure(await gradient.check(context, gradCam)),
    (classifier) => ({
      classifier: {
        ...classifier,
        async gradient(forward, score, cotangent) {
          const right = await classifier.gradient(forward, score, cotangent);
          const { shape, data } = await readFloats(right.gradient);
          const wrong = { type: "float32" as const, shape, data: data.map((g) => 1.05 * g) };
          return { ...right, gradient: wrong };
        },
      },
    }),
  );
  assertMore(value, 0.03);
  assertLess(value, 0.07);
});
