import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { boxPixels } from "../../src/kernels/box_pixels.ts";
import { gpuTest, noise, onBoth, runKernel } from "./support.ts";
import { assertClose } from "../assert_close.ts";

/** Visits every pixel of the map and asks whether it is in the box. */
function naive(map: Float32Array, height: number, width: number, box: ArrayLike<number>): number {
  let sum = 0, count = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (x >= box[0] && y >= box[1] && x < box[2] && y < box[3]) {
        sum += map[y * width + x];
        count++;
      }
    }
  }
  return sum / count;
}

onBoth("box_pixels gives hand-checked means", async (compute) => {
  const map = Float32Array.of(1, 2, 3, 4, 5, 6);
  const boxes = [
    [0, 0, 3, 2], // 3.5
    [1, 0, 2, 2], // 3.5
    [2, 1, 3, 2], // 6
    [-5, -5, 1, 99], // column 0: 2.5
    [1, 1, 1, 2], // no width
    [2, 0, 1, 2], // inverted
    [3, 0, 9, 2], // right of the map
    [-4, 0, 0, 2], // left of it
    [-2147483648, -2147483648, 2147483647, 2147483647],
  ];
  const p = { maps: 1, boxes: boxes.length, pairs: boxes.length, height: 2, width: 3 };
  const pairs = Uint32Array.from({ length: 2 * boxes.length }, (_, i) => i % 2 ? (i - 1) / 2 : 0);
  const means = await runKernel(compute, boxPixels, p, [map, Int32Array.from(boxes.flat()), pairs]);
  assertClose(means, [3.5, 3.5, 6, 2.5, NaN, NaN, NaN, NaN, 3.5], { nan: true });
});

onBoth("box_pixels equals the visit of every pixel for random boxes", async (compute) => {
  const rng = createRng(4);
  for (const [height, width] of [[1, 1], [61, 47], [200, 131], [3, 700], [700, 1]]) {
    const maps = 2, count = 40;
    const values = noise(maps * height * width, 16);
    const boxes = Int32Array.from({ length: count * 4 }, (_, i) => {
      const extent = i % 2 ? height : width;
      return Math.floor((rng.uniform() * 1.4 - 0.2) * extent) + (i % 4 < 2 ? 0 : 1);
    });
    const pairs = Uint32Array.from(
      { length: 2 * count },
      (_, i) => i % 2 ? (i - 1) / 2 : (i / 2) % maps,
    );
    const p = { maps, boxes: count, pairs: count, height, width };
    const means = await runKernel(compute, boxPixels, p, [values, boxes, pairs]);
    const expected = Array.from({ length: count }, (_, k) => {
      const map = values.subarray(pairs[2 * k] * height * width);
      return naive(map, height, width, boxes.subarray(4 * pairs[2 * k + 1]));
    });
    assertClose(means, expected, { absolute: 5e-7, nan: true });
  }
});

onBoth(
  "box_pixels of a large map adds up without drift, and NaN counts only inside",
  async (compute) => {
    const [height, width] = [700, 601];
    const values = noise(height * width, 17).map((x) => 0.7 + 0.1 * x);
    values[0] = NaN;
    const p = { maps: 1, boxes: 2, pairs: 2, height, width };
    const boxes = Int32Array.of(0, 1, width, height, 0, 0, 2, 2);
    const means = await runKernel(compute, boxPixels, p, [
      values,
      boxes,
      Uint32Array.of(0, 0, 0, 1),
    ]);
    let sum = 0;
    for (let i = width; i < values.length; i++) sum += values[i];
    assertClose(means, [sum / (values.length - width), NaN], { absolute: 2e-7, nan: true });
  },
);

gpuTest("box_pixels takes more than 65535 pairs", async () => {
  const compute = await createCompute("gpu");
  const count = 66_001;
  const values = noise(6, 18);
  const p = { maps: 1, boxes: 6, pairs: count, height: 2, width: 3 };
  const boxes = Int32Array.from(
    [0, 1, 2, 3, 4, 5].flatMap((i) => [i % 3, i / 3 | 0, i % 3 + 1, (i / 3 | 0) + 1]),
  );
  const pairs = Uint32Array.from({ length: 2 * count }, (_, i) => i % 2 ? ((i - 1) / 2) % 6 : 0);
  const means = await runKernel(compute, boxPixels, p, [values, boxes, pairs]);
  assert.deepEqual(means, Float32Array.from({ length: count }, (_, i) => values[i % 6]));
});
