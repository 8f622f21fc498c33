import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { floats } from "../../src/base/tensor.ts";
import { gradCamPlusPlus } from "../../src/methods/grad_cam_plus_plus.ts";
import {
  noisyGradients,
  smoothGradCamPlusPlus,
  smoothWeights,
} from "../../src/methods/smooth_grad_cam_plus_plus.ts";
import { toFloats } from "../../src/runtime/session.ts";
import { sum } from "./made_layer.ts";
import { openMobile, withImages } from "./reference_nets.ts";
import { assertClose } from "../assert_close.ts";

const CLASSES = [8, 7];

Deno.test("Smooth Grad-CAM++ without noise is Grad-CAM++", async () => {
  const net = await openMobile();
  try {
    for (const target of ["logit", "probability", "margin"] as const) {
      await withImages(net, target, async (context) => {
        const { data } = await smoothWeights(context, CLASSES, 3, () => {});
        const plain = await gradCamPlusPlus.compute(context, CLASSES);
        assert.ok("weights" in plain, Object.keys(plain).join());
        const expected = (await toFloats(plain.weights)).data;
        const scale = Math.max(...expected.map(Math.abs));
        assertClose(data, expected, 1e-6 * scale);
      });
    }
  } finally {
    await net.classifier.dispose();
  }
});

Deno.test("Smooth Grad-CAM++'s weights follow from the gradients at the noisy inputs", async () => {
  const net = await openMobile();
  const noise = (row: number, at: number, input: Float32Array) => {
    const rng = createRng(100 * row + at);
    for (let i = 0; i < input.length; i++) input[i] += 0.3 * rng.normal();
  };
  try {
    await withImages(net, "probability", async (context) => {
      const samples = 5;
      const found = await smoothWeights(context, CLASSES, samples, noise);
      const activation = (await toFloats(context.forward.activation)).data;
      const [channels, cells] = [48, 63];
      for (const row of [0, 1]) {
        // Each noisy input by itself through a separate forward pass.
        const gradients: Float32Array[] = [];
        const size = context.input.data.length / 2;
        for (let at = 0; at < samples; at++) {
          const input = context.input.data.slice(row * size, (row + 1) * size);
          noise(row, at, input);
          const forward = await net.classifier.forward(
            floats([1, ...net.classifier.inputShape], input),
          );
          const cotangent = floats([2, 20], new Float32Array(40));
          cotangent.data[CLASSES[row]] = 1;
          const { gradient } = await net.classifier.gradient(forward, "probabilities", cotangent);
          gradients.push((await toFloats(gradient)).data.slice(0, channels * cells));
        }
        const expected = Array.from({ length: channels }, (_, k) => {
          const own = [
            ...activation.subarray((row * channels + k) * cells, (row * channels + k + 1) * cells),
          ];
          return sum(own.map((_, i) => {
            const mean = (power: number) =>
              sum(gradients.map((g) => g[k * cells + i] ** power)) / samples;
            const alpha = mean(2) / (2 * mean(2) + mean(3) * sum(own) + 1e-6);
            return alpha * Math.max(0, mean(1));
          }));
        });
        const scale = Math.max(...expected.map(Math.abs));
        expected.forEach((value, k) => {
          const own = found.data[row * channels + k];
          assertClose(own, value, 1e-4 * scale);
        });
      }
    });
  } finally {
    await net.classifier.dispose();
  }
});

Deno.test("Smooth Grad-CAM++'s noise is that of the sample, not of its place or class", async () => {
  const net = await openMobile();
  try {
    const seen: Float32Array[][] = [];
    for (let run = 0; run < 2; run++) {
      await withImages(net, "logit", async (context) => {
        const { weights } = await smoothGradCamPlusPlus.compute(context, CLASSES) as {
          weights: { data: Float32Array };
        };
        const first = await smoothGradCamPlusPlus.compute(context, [8, 3]) as {
          weights: { data: Float32Array };
        };
        // The first row's class is the same in both: so is its noise, and its weights.
        assert.deepEqual(first.weights.data.slice(0, 48), weights.data.slice(0, 48));
        seen.push([weights.data]);
      });
    }
    assert.deepEqual(seen[0], seen[1]);
  } finally {
    await net.classifier.dispose();
  }
});

Deno.test("noisyGradients visits every copy of every sample once, across batches", async () => {
  const net = await openMobile();
  try {
    await withImages(net, "logit", async (context) => {
      const added: string[] = [], taken: string[] = [];
      await noisyGradients(
        context,
        CLASSES,
        3,
        (row, at) => added.push(`${row}.${at}`),
        (row, at, gradient) => {
          assert.equal(gradient.length, 48 * 63);
          taken.push(`${row}.${at}`);
        },
      );
      assert.deepEqual(taken, ["0.0", "0.1", "0.2", "1.0", "1.1", "1.2"]);
      assert.deepEqual(added, taken);
    });
  } finally {
    await net.classifier.dispose();
  }
});
