import assert from "node:assert/strict";
import { gradCam } from "../../src/methods/grad_cam.ts";
import { toFloats } from "../../src/runtime/session.ts";
import { withContext } from "./shipped.ts";
import {
  CELLS,
  CHANNELS,
  HIDDEN,
  openSmallNet,
  passOf,
  pulled,
  smallInputs,
  softmaxOf,
  WEIGHTS,
} from "./small_net.ts";

Deno.test("Grad-CAM's weights are the mean gradients of the target, as computed in float64", async () => {
  const classifier = await openSmallNet();
  try {
    const { inputs, each } = smallInputs();
    const classes = [2, 0, 1];
    for (const target of ["logit", "probability", "margin"] as const) {
      await withContext(classifier, inputs, target, async (context) => {
        const attribution = await gradCam.compute(context, classes);
        assert.ok("weights" in attribution);
        const { data } = await toFloats(attribution.weights);
        each.forEach((x, row) => {
          const { hidden, logits } = passOf(x);
          const k = classes[row]!;
          const p = softmaxOf(logits);
          const others = [0, 1, 2].filter((other) => other !== k);
          const next = logits[others[0]!]! > logits[others[1]!]! ? others[0]! : others[1]!;
          // ∂ target / ∂ logits
          const cotangent = logits.map((_, j) => {
            const own = j === k ? 1 : 0;
            if (target === "logit") return own;
            return target === "margin" ? own - (j === next ? 1 : 0) : p[k]! * (own - p[j]!);
          });
          const atHidden = pulled(WEIGHTS.second, cotangent, HIDDEN)
            .map((value, i) => hidden[i]! > 0 ? value : 0);
          const gradient = pulled(WEIGHTS.first, atHidden, CHANNELS * CELLS);
          for (let c = 0; c < CHANNELS; c++) {
            const own = gradient.slice(c * CELLS, (c + 1) * CELLS);
            const expected = own.reduce((a, b) => a + b) / CELLS;
            assert.ok(
              Math.abs(data[row * CHANNELS + c]! - expected) < 1e-6,
              `${target} ${row} ${c}`,
            );
          }
        });
      });
    }
  } finally {
    await classifier.dispose();
  }
});
