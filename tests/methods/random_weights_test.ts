import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { readFloats } from "../../src/classifier/values.ts";
import { gradCam } from "../../src/methods/grad_cam.ts";
import { randomWeights } from "../../src/methods/random_weights.ts";
import { learnedNodes, randomiseWeights } from "../../src/onnx/randomise.ts";
import { miniXception, noiseInputs, withContext } from "./shipped.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("random-weights is Grad-CAM of the randomised model, computed by hand from its parts", async () => {
  const classifier = await miniXception();
  const inputs = noiseInputs(classifier, 3);
  const classes = [3, 1, 6, 0];
  const map = await withContext(classifier, inputs, "logit", async (context) => {
    const attribution = await randomWeights.compute(context, classes);
    assert.ok("map" in attribution, Object.keys(attribution).join());
    return await readFloats(attribution.map);
  });
  const random = await classifier.derive(
    "by hand",
    (graph) => randomiseWeights(graph, createRng(1)),
  );
  const expected = await withContext(random, inputs, "logit", async (context) => {
    const attribution = await gradCam.compute(context, classes);
    assert.ok("weights" in attribution, Object.keys(attribution).join());
    const weights = await readFloats(attribution.weights);
    const activation = await readFloats(context.forward.activation);
    return Float64Array.from({ length: 4 * 64 }, (_, at) => {
      const row = Math.floor(at / 64);
      let sum = 0;
      for (let c = 0; c < 7; c++) {
        sum += weights.data[row * 7 + c] * activation.data[(row * 7 + c) * 64 + at % 64];
      }
      return sum;
    });
  });
  const range = Math.max(...expected) - Math.min(...expected);
  assertClose(map.data, expected, 1e-6 * range);
  await classifier.dispose();
});

Deno.test("randomiseWeights() re-orders every learned tensor of the layers asked for, and no other", async () => {
  const classifier = await miniXception();
  const { whole } = classifier.graphs;
  const layers = learnedNodes(whole);
  // 13 convolutions; the depthwise ones have a weight and no bias. The last convolution comes first.
  assert.equal(layers.length, 13);
  assert.deepEqual(layers[0].outputs, ["maps"]);
  for (const count of [0, 1, 5, Infinity]) {
    const random = randomiseWeights(whole, createRng(9), count);
    const changed = [...whole.initializers].filter(([name, value]) =>
      random.initializers.get(name) !== value
    ).map(([name]) => name);
    const expected = layers.slice(0, count).flatMap(({ inputs }) =>
      inputs.slice(1).filter((name) => (whole.initializers.get(name)?.data.length ?? 0) > 1)
    );
    assert.deepEqual(new Set(changed), new Set(expected));
    for (const name of changed) {
      const before = whole.initializers.get(name)!, after = random.initializers.get(name)!;
      assert.notDeepEqual(after.data, before.data);
      assert.deepEqual([...after.data].map(Number).sort(), [...before.data].map(Number).sort());
    }
  }
  const again = randomiseWeights(whole, createRng(9));
  const once = randomiseWeights(whole, createRng(9));
  for (const [name, value] of once.initializers) {
    assert.deepEqual(again.initializers.get(name)!.data, value.data);
  }
  await classifier.dispose();
});

Deno.test("the cascade takes Grad-CAM away from what it was", async () => {
  const classifier = await miniXception();
  const inputs = noiseInputs(classifier, 4);
  const mapsOf = (which: typeof classifier) =>
    withContext(which, inputs, "logit", async (context) => {
      const { data } = await readFloats(context.forward.activation);
      // On this net Grad-CAM of class k is its channel over a constant.
      return Array.from(
        { length: 4 },
        (_, row) => data.slice((row * 7 + 3) * 64, (row * 7 + 4) * 64),
      );
    });
  const original = await mapsOf(classifier);
  const random = await mapsOf(
    await classifier.derive("all", (graph) => randomiseWeights(graph, createRng(1))),
  );
  const mean = original.reduce((sum, map, row) => sum + correlation(map, random[row]), 0) / 4;
  assertClose(mean, 0, 0.6, `correlation ${mean} with a model that has learned nothing`);
  await classifier.dispose();
});

function correlation(a: Float32Array, b: Float32Array): number {
  const mean = (values: Float32Array) => values.reduce((x, y) => x + y, 0) / values.length;
  const ma = mean(a), mb = mean(b);
  let ab = 0, aa = 0, bb = 0;
  a.forEach((value, i) => {
    ab += (value - ma) * (b[i] - mb);
    aa += (value - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  });
  return ab / Math.sqrt(aa * bb);
}
