import assert from "node:assert/strict";
import { maskWay } from "../../../src/classifier/channel_masks.ts";
import type { Classifier } from "../../../src/classifier/classifier.ts";
import { openClassifier } from "../../../src/classifier/open.ts";
import { findClassifier } from "../../../src/classifier/source.ts";
import { masks } from "../../../src/experiments/axioms/masks.ts";
import { ablationCam } from "../../../src/methods/ablation_cam.ts";
import { noiseInputs } from "../../methods/shipped.ts";
import { figure, withAxiomContext } from "./support.ts";
import { assertLess, assertMore } from "../../assert_that.ts";

/** Checks the axiom on the face-api expression net: pooling and a fully connected layer, so that masks are sums. */
async function check(change: (classifier: Classifier) => Classifier): Promise<number> {
  const source = await findClassifier("face-expression");
  const net = await openClassifier(source, { backend: "native", batch: 4 });
  assert.equal(maskWay(net).kind, "sums");
  try {
    return await withAxiomContext(
      async (context) => figure(await masks.check(context, ablationCam)),
      () => ({ classifier: change(net), inputs: noiseInputs(net, 3) }),
    );
  } finally {
    await net.dispose();
  }
}

Deno.test("masked scores are the head's on the shipped expression net", async () => {
  const value = await check((net) => net);
  assertLess(value, 1e-4);
});

Deno.test("the masks axiom notices a head that is not the one the shortcut was made of", async () => {
  const value = await check((net) => ({
    ...net,
    evaluateHead: (activations, forward, row) =>
      net.evaluateHead(
        { ...activations, data: activations.data.map((value) => 1.01 * value) },
        forward,
        row,
      ),
  }));
  assertMore(value, 1e-3);
});
