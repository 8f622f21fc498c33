import assert from "node:assert/strict";
import { channelSum } from "../../src/kernels/channel_sum.ts";
import { gpuTest, noise, onBoth, runKernel } from "./support.ts";
import { assertClose } from "../assert_close.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";

/** Equation 2 of Grad-CAM word for word, in double precision. */
function naive(
  p: { maps: number; perImage: number; channels: number; cells: number; rectify: number },
  activation: Float32Array,
  weights: Float32Array,
): number[] {
  return Array.from({ length: p.maps * p.cells }, (_, i) => {
    const map = Math.floor(i / p.cells), image = Math.floor(map / p.perImage);
    let sum = 0;
    for (let c = 0; c < p.channels; c++) {
      sum += weights[map * p.channels + c] *
        activation[(image * p.channels + c) * p.cells + i % p.cells];
    }
    return p.rectify && sum < 0 ? 0 : sum;
  });
}

onBoth("channel_sum gives hand-checked sums of two channels", async (compute) => {
  const activation = Float32Array.of(1, 2, 3, 4, 10, 20, 30, 40);
  const p = { maps: 1, perImage: 1, channels: 2, cells: 4, rectify: 0 };
  const sums = await runKernel(compute, channelSum, p, [activation, Float32Array.of(2, -0.1)]);
  assertClose(sums, [1, 2, 3, 4], 1e-6);
  const rectified = await runKernel(compute, channelSum, { ...p, rectify: 1 }, [
    activation,
    Float32Array.of(-1, 0.075),
  ]);
  assert.deepEqual(Array.from(rectified), [0, 0, 0, 0]);
});

for (
  const [maps, perImage, channels, cells, rectify] of [
    [3, 1, 256, 169, 1],
    [6, 3, 33, 35, 0],
    [1, 1, 2048, 49, 0],
    [5, 5, 1, 1, 1],
  ]
) {
  const p = { maps, perImage, channels, cells, rectify };
  onBoth(`channel_sum equals the double loop for ${JSON.stringify(p)}`, async (compute) => {
    const activation = noise(maps / perImage * channels * cells, 1);
    const weights = noise(maps * channels, 2);
    const sums = await runKernel(compute, channelSum, p, [activation, weights]);
    // Sums of n normal products have standard deviation √n; 2e-6 of it.
    assertClose(sums, naive(p, activation, weights), 2e-6 * Math.sqrt(channels));
  });
}

onBoth("channel_sum keeps NaN through the ReLU and gives 0 without channels", async (compute) => {
  const p = { maps: 1, perImage: 1, channels: 1, cells: 6, rectify: 1 };
  const odd = Float32Array.of(NaN, -1, 1, Infinity, -Infinity, 0);
  // A NaN with its sign bit set, which is what x86 makes of ∞ − ∞.
  new Uint32Array(odd.buffer)[5] = 0xffc00000;
  assert.deepEqual(
    Array.from(await runKernel(compute, channelSum, p, [odd, Float32Array.of(1)])),
    [NaN, 0, 1, Infinity, 0, NaN],
  );
  const none = await runKernel(compute, channelSum, { ...p, channels: 0 }, [
    new Float32Array(0),
    new Float32Array(0),
  ]);
  assert.deepEqual(Array.from(none), [0, 0, 0, 0, 0, 0]);
});

gpuTest("channel_sum takes more than 65535 workgroups", async () => {
  const compute = await createCompute("gpu");
  const p = { maps: 70_001, perImage: 70_001, channels: 1, cells: 64, rectify: 0 };
  const activation = noise(64, 3);
  const weights = Float32Array.from({ length: p.maps }, (_, i) => i);
  const sums = await runKernel(compute, channelSum, p, [activation, weights]);
  for (const map of [0, 1, 65535, 65536, 70_000]) {
    assertClose(
      sums.subarray(map * 64, (map + 1) * 64),
      activation.map((x) => x * map),
      1e-6 * map,
    );
  }
});
