import assert from "node:assert/strict";
import { readNpy } from "../../src/base/npy.ts";
import { upsampleBilinear } from "../../src/kernels/upsample_bilinear.ts";
import { bilinear, distance, gpuTest, halfPixel, noise, onBoth, runKernel } from "./support.ts";
import { assertClose } from "../assert_close.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { assertAtMost } from "../assert_that.ts";

onBoth("upsample_bilinear gives hand-checked samples", async (compute) => {
  const samples = await runKernel(compute, upsampleBilinear, halfPixel(1, [1, 2], [1, 4]), [
    Float32Array.of(0, 4),
  ]);
  // Pixel centres at cells −.25, .25, .75, 1.25; the edges continue.
  assert.deepEqual(Array.from(samples), [0, 1, 3, 4]);
});

for (const name of ["1", "2", "3", "5", "6", "7"]) {
  onBoth(`upsample_bilinear equals cv2.resize, case ${name}`, async (compute) => {
    const folder = new URL("../golden/kernels/", import.meta.url);
    const input = readNpy(await Deno.readFile(new URL(`cv2_${name}_in.npy`, folder)));
    const output = readNpy(await Deno.readFile(new URL(`cv2_${name}_out.npy`, folder)));
    const p = halfPixel(1, input.shape as [number, number], output.shape as [number, number]);
    const samples = await runKernel(compute, upsampleBilinear, p, [input.data as Float32Array]);
    // Values 0 … 1. OpenCV itself is 1e-7 from the formula; the largest cell coordinate here is 79, of which float32
    // resolves 4e-6.
    assertClose(samples, output.data as Float32Array, compute.kind === "cpu" ? 2e-7 : 4e-6);
  });
}

onBoth("upsample_bilinear places cells by receptive fields", async (compute) => {
  const [maps, height, width, outHeight, outWidth] = [3, 13, 11, 67, 45];
  const p = { maps, height, width, outHeight, outWidth } as const;
  // Stride 8, the first cell's centre at pixel 17.5; stride 3 with the first centre left of the image; and a mirrored axis.
  const placements = [
    { scaleY: 1 / 8, offsetY: -18 / 8, scaleX: 1 / 3, offsetX: 2.5 / 3 },
    { scaleY: -0.2, offsetY: 12, scaleX: 5, offsetX: 0 },
  ];
  for (const placed of placements) {
    const map = noise(maps * height * width, 4);
    const samples = await runKernel(compute, upsampleBilinear, { ...p, ...placed }, [map]);
    const expected = Array.from({ length: maps * outHeight * outWidth }, (_, i) => {
      const y = Math.floor(i / outWidth) % outHeight, x = i % outWidth;
      const one = map.subarray(Math.floor(i / outHeight / outWidth) * height * width);
      const v = placed.scaleY * (y + 0.5) + placed.offsetY;
      return bilinear(one, height, width, v, placed.scaleX * (x + 0.5) + placed.offsetX);
    });
    // The maps range over about ±3.5 with slopes up to 6 a cell; float32 resolves a coordinate of 12 to 1e-6.
    assertClose(samples, expected, compute.kind === "cpu" ? 3e-7 : 1e-5);
  }
});

onBoth("upsample_bilinear is linear in the map and mirrors with it", async (compute) => {
  const p = halfPixel(1, [6, 5], [32, 40]);
  const up = (map: Float32Array) => runKernel(compute, upsampleBilinear, p, [map]);
  const a = noise(30, 5), b = noise(30, 6);
  const sum = await up(a.map((x, i) => 2 * x - 3 * b[i]));
  const [upA, upB] = [await up(a), await up(b)];
  assertClose(sum, upA.map((x, i) => 2 * x - 3 * upB[i]), 1e-5);
  const flipped = await up(a.map((_, i) => a[i - i % 5 + 4 - i % 5]));
  assertClose(flipped, upA.map((_, i) => upA[i - i % 40 + 39 - i % 40]), 1e-5);
});

onBoth(
  "upsample_bilinear continues a map of one cell and keeps constants exact",
  async (compute) => {
    const p = halfPixel(2, [1, 1], [3, 5]);
    const samples = await runKernel(compute, upsampleBilinear, p, [Float32Array.of(0.1, NaN)]);
    const constant = Array(15).fill(Math.fround(0.1));
    assert.deepEqual(Array.from(samples), [...constant, ...Array(15).fill(NaN)]);
    const flat = await runKernel(compute, upsampleBilinear, halfPixel(1, [7, 3], [50, 50]), [
      new Float32Array(21).fill(0.3),
    ]);
    assert.deepEqual(new Set(flat), new Set([Math.fround(0.3)]));
  },
);

gpuTest("upsample_bilinear is the same on GPU and CPU", async () => {
  const p = halfPixel(5, [13, 13], [227, 227]);
  const map = noise(5 * 169, 7);
  const [cpu, gpu] = await Promise.all(
    (["cpu", "gpu"] as const).map(async (kind) =>
      runKernel(await createCompute(kind), upsampleBilinear, p, [map])
    ),
  );
  assertAtMost(distance(cpu, gpu), 1e-5, "range 7");
});

gpuTest("upsample_bilinear takes more than 65535 workgroups", async () => {
  const compute = await createCompute("gpu");
  const map = noise(4, 8);
  const p = halfPixel(1, [2, 2], [2100, 2001]);
  const samples = await runKernel(compute, upsampleBilinear, p, [map]);
  for (const i of [0, 65535 * 64 - 1, 65535 * 64, 65535 * 64 + 1, samples.length - 1]) {
    const v = 2 / 2100 * (Math.floor(i / 2001) + 0.5) - 0.5;
    const u = 2 / 2001 * (i % 2001 + 0.5) - 0.5;
    assertClose([samples[i]], [bilinear(map, 2, 2, v, u)], 1e-6);
  }
});
