import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { halfPixelPlacement, type Placement, type Rect } from "../../src/image/geometry.ts";
import { boxIntegral } from "../../src/kernels/box_integral.ts";
import { boxWeights } from "../../src/kernels/box_weights.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { gpuTest, noise, onBoth, quadrature, runKernel } from "./support.ts";
import { assertClose } from "../assert_close.ts";

/** The kernel's two weight arrays for these boxes. */
function weigh(boxes: readonly Rect[], height: number, width: number, { x, y }: Placement) {
  const rows = new Float32Array(boxes.length * height);
  const columns = new Float32Array(boxes.length * width);
  boxes.forEach((box, b) => {
    rows.set(boxWeights(box.y0, box.y1, height, y), b * height);
    columns.set(boxWeights(box.x0, box.x1, width, x), b * width);
  });
  return [rows, columns] as const;
}

/** The mean over a box by quadrature. */
function integral(map: Float32Array, h: number, w: number, box: Rect, { x, y }: Placement): number {
  return quadrature(map, h, w, [y.scale * box.y0 + y.offset, y.scale * box.y1 + y.offset], [
    x.scale * box.x0 + x.offset,
    x.scale * box.x1 + x.offset,
  ]);
}

onBoth("box_integral gives hand-checked means", async (compute) => {
  const map = Float32Array.of(0, 4, 8, 12);
  const boxes = [{ x0: 0, y0: 0, x1: 4, y1: 4 }, { x0: 1, y0: 1, x1: 3, y1: 3 }, {
    x0: 0,
    y0: 0,
    x1: 1,
    y1: 1,
  }];
  const weights = weigh(boxes, 2, 2, halfPixelPlacement(2, 2, 4, 4));
  const p = { maps: 1, boxes: 3, pairs: 3, height: 2, width: 2 };
  const pairs = Uint32Array.of(0, 0, 0, 1, 0, 2);
  const means = await runKernel(compute, boxIntegral, p, [map, ...weights, pairs]);
  assert.deepEqual(Array.from(means), [6, 6, 0]);
});

onBoth("box_integral equals quadrature for random maps, boxes and placements", async (compute) => {
  const rng = createRng(3);
  for (const [height, width] of [[13, 13], [1, 9], [7, 1], [1, 1], [30, 41]]) {
    const maps = 4, count = 50;
    const placement = {
      x: { scale: width / 227, offset: -0.5 },
      y: { scale: 1 / 16, offset: -rng.uniform() * 2 },
    };
    const boxes = Array.from({ length: count }, () => {
      const x0 = 227 * rng.uniform(), y0 = 227 * rng.uniform();
      const size = rng.below(3) === 0 ? 0.01 : 227;
      return { x0, y0, x1: x0 + size * rng.uniform(), y1: y0 + size * rng.uniform() };
    });
    const values = noise(maps * height * width, 14);
    const pairs = Uint32Array.from(
      { length: 2 * maps * count },
      (_, i) => i % 2 ? Math.floor(i / 2 / maps) : Math.floor(i / 2) % maps,
    );
    const p = { maps, boxes: count, pairs: maps * count, height, width };
    const weights = weigh(boxes, height, width, placement);
    const means = await runKernel(compute, boxIntegral, p, [values, ...weights, pairs]);
    const expected = Array.from({ length: maps * count }, (_, k) => {
      const one = values.subarray(pairs[2 * k] * height * width);
      return integral(one, height, width, boxes[pairs[2 * k + 1]], placement);
    });
    // Values to ±4, weights rounded to float32.
    assertClose(means, expected, 5e-7);
  }
});

onBoth("box_integral keeps NaN out of boxes that do not touch it", async (compute) => {
  const map = Float32Array.of(1, 2, 3, NaN);
  const boxes = [{ x0: 0, y0: 0, x1: 2, y1: 1 }, { x0: 0, y0: 0, x1: 4, y1: 1 }];
  const weights = weigh(boxes, 1, 4, halfPixelPlacement(4, 1, 4, 1));
  const p = { maps: 1, boxes: 2, pairs: 2, height: 1, width: 4 };
  const means = await runKernel(compute, boxIntegral, p, [
    map,
    ...weights,
    Uint32Array.of(0, 0, 0, 1),
  ]);
  // ∫ over [0, 2] pixels = cells −.5 … 1.5: 1/2 of 1, then 1 … 2, then 2 … 2.5; (.5 + 1.5 + 1.125) / 2.
  assertClose(means, [1.5625, NaN], { absolute: 1e-6, nan: true });
});

gpuTest("box_integral takes more than 65535 pairs", async () => {
  const compute = await createCompute("gpu");
  const count = 66_001;
  const values = noise(4, 15);
  const p = { maps: 4, boxes: 1, pairs: count, height: 1, width: 1 };
  const pairs = Uint32Array.from({ length: 2 * count }, (_, i) => i % 2 ? 0 : (i / 2) % 4);
  const means = await runKernel(compute, boxIntegral, p, [
    values,
    Float32Array.of(1),
    Float32Array.of(1),
    pairs,
  ]);
  assert.deepEqual(means, Float32Array.from({ length: count }, (_, i) => values[i % 4]));
});
