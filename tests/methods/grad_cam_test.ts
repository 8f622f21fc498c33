import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { finalMaps, rawMaps } from "../../src/kernels/box_scores.ts";
import { gradCam } from "../../src/methods/grad_cam.ts";
import { createContext } from "../../src/methods/mod.ts";
import type { Target } from "../../src/classifier/target.ts";
import { readFloats } from "../../src/classifier/values.ts";
import {
  CELLS,
  CHANNELS,
  CLASSES,
  COLOURS,
  HEIGHT,
  HIDDEN,
  openSmallNet,
  type Pass,
  passOf,
  pulled,
  WEIGHTS,
  WIDTH,
} from "./small_net.ts";
import { assertClose } from "../assert_close.ts";

const inputOf = (seed: number) => {
  const rng = createRng(seed);
  return Float64Array.from({ length: COLOURS * CELLS }, () => Math.fround(rng.normal()));
};

function softmax(logits: Float64Array): Float64Array {
  const powers = logits.map((z) => Math.exp(z - Math.max(...logits)));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** d score / d A of one class, by the chain rule in float64. */
function gradientOf({ hidden, logits }: Pass, k: number, target: Target): Float64Array {
  const p = softmax(logits);
  const rival = [...logits.keys()].filter((j) => j !== k)
    .reduce((best, j) => logits[j] > logits[best] ? j : best);
  const cotangent = logits.map((_, j) =>
    target === "probability"
      ? p[k] * ((j === k ? 1 : 0) - p[j])
      : (j === k ? 1 : 0) - (target === "margin" && j === rival ? 1 : 0)
  );
  const through = pulled(WEIGHTS.second, cotangent, HIDDEN)
    .map((value, i) => hidden[i] > 0 ? value : 0);
  return pulled(WEIGHTS.first, through, CHANNELS * CELLS);
}

/** Equations 1 and 2, without the ReLU: weights and map. */
function twin(pass: Pass, k: number, target: Target): { weights: number[]; map: number[] } {
  const gradient = gradientOf(pass, k, target);
  const weights = Array.from({ length: CHANNELS }, (_, channel) => {
    let sum = 0;
    for (let cell = 0; cell < CELLS; cell++) sum += gradient[channel * CELLS + cell];
    return sum / CELLS;
  });
  const map = Array.from(
    { length: CELLS },
    (_, cell) =>
      weights.reduce(
        (sum, weight, channel) => sum + weight * pass.activation[channel * CELLS + cell],
        0,
      ),
  );
  return { weights, map };
}

for (const target of ["logit", "probability", "margin"] as const) {
  Deno.test(`Grad-CAM of the ${target} is that of loops in float64: weights to 1e-6, maps to 1e-6`, async () => {
    const classifier = await openSmallNet();
    const inputs = [1, 2, 3].map(inputOf);
    const data = new Float32Array(inputs.flatMap((input) => [...input]));
    const forward = await classifier.forward(floats([3, COLOURS, HEIGHT, WIDTH], data));
    for (let k = 0; k < CLASSES; k++) {
      const classes = [k, (k + 1) % CLASSES, (k + 2) % CLASSES];
      const context = createContext(classifier, forward, target, { seed: 0, keys: [] });
      const attribution = await gradCam.compute(context, classes);
      assert.ok("weights" in attribution, Object.keys(attribution).join());
      const weights = await readFloats(attribution.weights);
      assert.deepEqual(weights.shape, [3, CHANNELS]);
      const raw = await rawMaps(await createCompute("cpu"), {
        maps: 3,
        height: HEIGHT,
        width: WIDTH,
        rectify: false,
        from: {
          activation: (forward.activation as Tensor).data,
          channels: CHANNELS,
          weights: weights.data,
        },
      });
      inputs.forEach((input, row) => {
        const expected = twin(passOf(input), classes[row], target);
        expected.weights.forEach((value, channel) =>
          assertClose(weights.data[row * CHANNELS + channel], value, 1e-6)
        );
        expected.map.forEach((value, cell) =>
          assertClose(raw[row * CELLS + cell], value, 1e-6, `row ${row} cell ${cell}`)
        );
      });
      context.dispose();
    }
    await classifier.dispose();
  });
}

Deno.test("the maps of all classes' probabilities cancel out: probabilities sum to 1", async () => {
  const classifier = await openSmallNet();
  const input = inputOf(5);
  const forward = await classifier.forward(
    floats([1, COLOURS, HEIGHT, WIDTH], Float32Array.from(input)),
  );
  const sum = new Float64Array(CHANNELS);
  for (let k = 0; k < CLASSES; k++) {
    const context = createContext(classifier, forward, "probability", { seed: 0, keys: [] });
    const attribution = await gradCam.compute(context, [k, 0, 0]);
    assert.ok("weights" in attribution, Object.keys(attribution).join());
    const { data } = await readFloats(attribution.weights);
    for (let channel = 0; channel < CHANNELS; channel++) sum[channel] += data[channel];
  }
  assertClose(sum, sum.map(() => 0), 1e-7);
  await classifier.dispose();
});

Deno.test("by hand: two channels of 2 × 2 cells with weights 1 and -0.5 give [[1, 0], [3, 0]] after the ReLU", async () => {
  const final = await finalMaps(await createCompute("cpu"), {
    maps: 1,
    height: 2,
    width: 2,
    rectify: true,
    from: {
      // [[2, 1], [3, 0]] and [[2, 4], [0, 2]]: 2 - 1 = 1, 1 - 2 = -1, 3 - 0 = 3, 0 - 1 = -1.
      activation: Float32Array.of(2, 1, 3, 0, 2, 4, 0, 2),
      channels: 2,
      weights: Float32Array.of(1, -0.5),
    },
  }, {
    width: 2,
    height: 2,
    placement: { x: { scale: 1, offset: -0.5 }, y: { scale: 1, offset: -0.5 } },
  });
  assertClose(final, [1 / 3, 0, 1, 0], 1e-6);
});
