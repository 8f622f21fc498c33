import assert from "node:assert/strict";
import { randomisation } from "../../../src/experiments/axioms/randomisation.ts";
import { holds } from "../../../src/experiments/axioms/axiom.ts";
import { cascade } from "../../../src/experiments/cascade.ts";
import { centre } from "../../../src/methods/centre.ts";
import { gradCam } from "../../../src/methods/grad_cam.ts";
import { sobel } from "../../../src/methods/sobel.ts";
import { figure, withAxiomContext } from "./support.ts";
import { assertClose } from "../../assert_close.ts";

Deno.test("the randomisation axiom is the last step of the cascade: 1 for edges, which fail it; Grad-CAM keeps it", async () => {
  await withAxiomContext(async (context) => {
    const last = (await Array.fromAsync(cascade(context, [gradCam, sobel]))).at(-1)!;
    const own = figure(await randomisation.check(context, gradCam));
    const edges = figure(await randomisation.check(context, sobel));
    assert.deepEqual([own, edges], last.correlations);
    assertClose(edges, 1, 1e-6);
    assert.equal(holds(randomisation, own), true);
    assert.equal(holds(randomisation, edges), false);
  });
  assert.equal(randomisation.applies(centre), false);
});

Deno.test("the randomisation axiom is skipped if there is nothing to re-draw", async () => {
  const finding = await withAxiomContext(
    async (context) => await randomisation.check(context, gradCam),
    (classifier) => ({
      classifier: {
        ...classifier,
        graphs: {
          ...classifier.graphs,
          whole: { ...classifier.graphs.whole, nodes: [] },
        },
      },
    }),
  );
  assert.deepEqual(finding, { skipped: "no parameters were found to re-draw" });
});
