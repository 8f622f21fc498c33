import assert from "node:assert/strict";
import { minMax } from "../../src/kernels/min_max.ts";
import { bilinear, gpuTest, halfPixel, noise, onBoth, runKernel } from "./support.ts";
import { assertClose } from "../assert_close.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { createRng } from "../../src/base/rng.ts";

type Placed = ReturnType<typeof halfPixel>;

/** Looks at every pixel of the grid, in double precision. */
function naive(p: Placed, values: Float32Array): number[] {
  return Array.from({ length: p.maps }, (_, map) => {
    const one = values.subarray(map * p.height * p.width, (map + 1) * p.height * p.width);
    let low = Infinity, high = -Infinity;
    for (let y = 0; y < p.outHeight; y++) {
      for (let x = 0; x < p.outWidth; x++) {
        const v = p.scaleY * (y + 0.5) + p.offsetY, u = p.scaleX * (x + 0.5) + p.offsetX;
        const value = bilinear(one, p.height, p.width, v, u);
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    return [low, high];
  }).flat();
}

onBoth("min_max of the map itself is its least and greatest value, exactly", async (compute) => {
  for (const [height, width] of [[1, 1], [1, 9], [13, 13], [40, 37]] as const) {
    const maps = 5;
    const values = noise(maps * height * width, height);
    const p = { ...halfPixel(maps, [height, width], [height, width]), scaleY: 1, scaleX: 1 };
    const found = await runKernel(compute, minMax, p, [values]);
    const expected = Array.from({ length: maps }, (_, m) => {
      const one = values.subarray(m * height * width, (m + 1) * height * width);
      return [Math.min(...one), Math.max(...one)];
    }).flat();
    assert.deepEqual(Array.from(found), expected);
  }
});

const grids: [string, Placed][] = [
  ["upsampling", halfPixel(3, [6, 5], [64, 51])],
  ["an even factor", halfPixel(2, [4, 4], [64, 64])],
  ["a grid hardly finer", halfPixel(3, [9, 7], [21, 17])],
  ["downsampling", halfPixel(3, [12, 15], [5, 4])],
  ["one row", halfPixel(3, [1, 8], [30, 60])],
  ["receptive fields beyond the frame", {
    ...halfPixel(3, [7, 7], [50, 60]),
    scaleY: 1 / 16,
    offsetY: 0.4,
    scaleX: 1 / 16,
    offsetX: -1.7,
  }],
  ["all pixels between two cells", {
    ...halfPixel(3, [7, 7], [50, 60]),
    scaleY: 1 / 100,
    offsetY: 2.2,
    scaleX: 1 / 100,
    offsetX: 4.1,
  }],
  ["a mirrored axis", { ...halfPixel(2, [5, 5], [44, 40]), scaleX: -1 / 8, offsetX: 4.3 }],
];
for (const [name, p] of grids) {
  onBoth(`min_max looks at few samples and finds the extremes of all: ${name}`, async (compute) => {
    const values = noise(p.maps * p.height * p.width, 9);
    const found = await runKernel(compute, minMax, p, [values]);
    assertClose(found, naive(p, values), compute.kind === "cpu" ? 3e-7 : 1e-5);
  });
}

onBoth("min_max finds the extremes of all samples for random placements", async (compute) => {
  const rng = createRng(10);
  for (let round = 0; round < 40; round++) {
    const [height, width] = [1 + rng.below(6), 1 + rng.below(6)];
    const p = {
      ...halfPixel(1, [height, width], [1 + rng.below(40), 1 + rng.below(40)]),
      scaleY: (rng.uniform() + 0.01) * (rng.below(2) ? 1 : -1),
      offsetY: rng.normal() * 3,
      scaleX: (rng.uniform() + 0.01) * (rng.below(2) ? 1 : -1),
      offsetX: rng.normal() * 3,
    };
    const values = noise(height * width, round);
    const found = await runKernel(compute, minMax, p, [values]);
    assertClose(found, naive(p, values), compute.kind === "cpu" ? 3e-7 : 2e-5);
  }
});

onBoth(
  "min_max gives NaN for maps that hold one NaN or infinity, and only for them",
  async (compute) => {
    const odd = [NaN, Infinity, -Infinity];
    const p = halfPixel(7, [13, 13], [100, 100]);
    const values = noise(7 * 169, 11);
    odd.forEach((x, i) => values[(2 * i + 1) * 169 + [0, 84, 168][i]] = x);
    const found = await runKernel(compute, minMax, p, [values]);
    const broken = Array.from(found, Number.isNaN);
    assert.deepEqual(broken, [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0].map(Boolean));
  },
);

onBoth("min_max of constant and of all-negative maps", async (compute) => {
  const p = halfPixel(2, [3, 3], [20, 20]);
  const values = Float32Array.of(...Array(9).fill(-0.7), -9, -8, -7, -6, -5, -4, -3, -2, -1);
  const [a, b, c, d] = await runKernel(compute, minMax, p, [values]);
  assert.deepEqual([a, b], [Math.fround(-0.7), Math.fround(-0.7)]);
  assertClose([c, d], [-9, -1], 1e-6);
});

gpuTest("min_max takes more than 65535 maps", async () => {
  const compute = await createCompute("gpu");
  const maps = 66_000;
  const values = noise(maps * 2, 12);
  const found = await runKernel(compute, minMax, halfPixel(maps, [1, 2], [1, 2]), [values]);
  const expected = values.map((_, i) =>
    i % 2 ? Math.max(values[i - 1], values[i]) : Math.min(values[i], values[i + 1])
  );
  assert.deepEqual(found, expected);
});
