import assert from "node:assert/strict";
import { perContext, perSample } from "../../src/methods/_per_sample.ts";
import { centre } from "../../src/methods/centre.ts";
import { eigenCam } from "../../src/methods/eigen_cam.ts";
import { fem } from "../../src/methods/fem.ts";
import { kpcaCam } from "../../src/methods/kpca_cam.ts";
import { sobel } from "../../src/methods/sobel.ts";
import { contextOf, randomLayer } from "./made_layer.ts";
import { withContext } from "./shipped.ts";
import { openSmallNet, smallInputs } from "./small_net.ts";

const layer = randomLayer([2, 3, 2, 2], { rectified: true });

Deno.test("perSample() makes an answer once for each row of a context", async () => {
  const made: number[] = [];
  const answer = perSample((_, row) => Promise.resolve(made.push(row)));
  const one = contextOf(layer), other = contextOf(layer);
  for (const row of [0, 1, 1, 0]) await answer(one, row);
  assert.deepEqual(made, [0, 1]);
  await answer(other, 0);
  assert.deepEqual(made, [0, 1, 0]);
});

Deno.test("perContext() makes an answer once for each context, and for each that it was called for", async () => {
  let made = 0;
  const make = () => Promise.resolve(++made);
  const answer = perContext(make), another = perContext(make);
  const one = contextOf(layer), other = contextOf(layer);
  const found = [await answer(one), await answer(one), await answer(other), await another(one)];
  assert.deepEqual(found, [1, 1, 2, 3]);
});

Deno.test("methods that know no class compute their maps once for a batch", async () => {
  const net = await openSmallNet();
  const { inputs } = smallInputs(2);
  for (const method of [eigenCam, kpcaCam, fem, sobel, centre]) {
    const [one, same, other] = await withContext(net, inputs, "logit", async (context) => [
      await method.compute(context, [0, 1, 0]),
      await method.compute(context, [2, 2, 0]),
      await withContext(net, inputs, "logit", (another) => method.compute(another, [0, 1, 0])),
    ]);
    assert.equal(one, same, method.name);
    assert.notEqual(one, other, method.name);
    assert.deepEqual(one, other, method.name);
  }
  await net.dispose();
});
