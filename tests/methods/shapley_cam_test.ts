import assert from "node:assert/strict";
import { gradCam } from "../../src/methods/grad_cam.ts";
import { hessianProduct, shapleyCam } from "../../src/methods/shapley_cam.ts";
import { toFloats } from "../../src/runtime/session.ts";
import { sum } from "./made_layer.ts";
import { mapsOf, openMobile, withImages } from "./reference_nets.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("ShapleyCAM's Hessian product of a probability after a linear head equals its closed form", async () => {
  const net = await openMobile();
  try {
    const head = net.classifier.linearHead();
    assert.ok("weights" in head, Object.keys(head).join());
    const [count, channels] = head.weights.shape as [number, number];
    const weight = (j: number, k: number) => head.weights.data[j * channels + k];
    await withImages(net, "probability", async (context) => {
      const product = await hessianProduct(context, [8, 7]);
      const { data } = await toFloats(context.forward.activation);
      const cells = 63;
      [8, 7].forEach((c, row) => {
        const p = [...context.forward.probabilities.data.subarray(row * count, (row + 1) * count)];
        // Along A the logits move by dz = W · mean(A), the probabilities by dp, and the gradient
        // p_c (W_ck − Σ_j p_j W_jk) / cells by its product rule.
        const means = Array.from({ length: channels }, (_, k) => {
          const from = (row * channels + k) * cells;
          return sum([...data.subarray(from, from + cells)]) / cells;
        });
        const dz = p.map((_, j) => sum(means.map((mean, k) => mean * weight(j, k))));
        const average = sum(p.map((value, j) => value * dz[j]));
        const dp = p.map((value, j) => value * (dz[j] - average));
        const expected = means.map((_, k) => {
          const along = weight(c, k) - sum(p.map((value, j) => value * weight(j, k)));
          return (dp[c] * along - p[c] * sum(dp.map((value, j) => value * weight(j, k)))) / cells;
        });
        const scale = Math.max(...expected.map(Math.abs));
        expected.forEach((value, k) => {
          for (const cell of [0, 40]) {
            const found = product!.data[(row * channels + k) * cells + cell];
            assertClose(found, value, 1e-5 * scale, `channel ${k}`);
          }
        });
      });
    });
  } finally {
    await net.classifier.dispose();
  }
});

Deno.test("ShapleyCAM of a logit after a linear head is Grad-CAM: there is no second derivative", async () => {
  const net = await openMobile();
  try {
    await withImages(net, "logit", async (context) => {
      assert.equal(await hessianProduct(context, [8, 7]), undefined);
    });
    const maps = await mapsOf(net, shapleyCam, "logit");
    const expected = await mapsOf(net, gradCam, "logit");
    const scale = Math.max(...expected.data.map(Math.abs));
    assertClose(maps.data, expected.data, 1e-6 * scale);
  } finally {
    await net.classifier.dispose();
  }
});
