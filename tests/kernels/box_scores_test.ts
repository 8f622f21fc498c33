import assert from "node:assert/strict";
import { readNpy } from "../../src/base/npy.ts";
import { createRng } from "../../src/base/rng.ts";
import type { Compute } from "../../src/gpu/compute.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { halfPixelPlacement, type Rect } from "../../src/image/geometry.ts";
import {
  finalMaps,
  type Frame,
  type MapBatch,
  rawMaps,
  type ScoreBox,
  scoreMaps,
} from "../../src/kernels/box_scores.ts";
import { bilinear, distance, gpuTest, noise, onBoth, quadrature } from "./support.ts";
import { assertAtLeast, assertAtMost, assertLess, assertMore, assertSome } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

const EPSILON = 1e-7;

/** One map's samples U on the frame, the extremes of map and samples, and F by its formula, in double precision. */
function naive(raw: ArrayLike<number>, height: number, width: number, frame: Frame) {
  const { x, y } = frame.placement;
  const samples = Array.from({ length: frame.width * frame.height }, (_, i) => {
    const v = y.scale * (Math.floor(i / frame.width) + 0.5) + y.offset;
    return bilinear(raw, height, width, v, x.scale * (i % frame.width + 0.5) + x.offset);
  });
  const cells = Array.from({ length: height * width }, (_, i) => raw[i]);
  const low = Math.min(...samples);
  const divisor = Math.max(...samples) - low +
    EPSILON * (EPSILON + Math.max(...cells) - Math.min(...cells));
  return { final: samples.map((u) => (u - low) / divisor), low, divisor };
}

/** Importances of all boxes by the definitions. */
function naiveScores(
  raw: Float32Array,
  { height, width }: MapBatch,
  frame: Frame,
  boxes: readonly ScoreBox[],
  mean: "exact" | "pixels",
): number[] {
  const { x, y } = frame.placement;
  return boxes.map(({ map, rect }) => {
    const one = raw.subarray(map * height * width, (map + 1) * height * width);
    const { final, low, divisor } = naive(one, height, width, frame);
    if (mean === "exact") {
      const x0 = Math.max(rect.x0, 0), x1 = Math.min(rect.x1, frame.width);
      const y0 = Math.max(rect.y0, 0), y1 = Math.min(rect.y1, frame.height);
      if (!(x1 > x0 && y1 > y0)) return NaN;
      const integral = quadrature(one, height, width, [
        y.scale * y0 + y.offset,
        y.scale * y1 + y.offset,
      ], [x.scale * x0 + x.offset, x.scale * x1 + x.offset]);
      return (integral - low) / divisor;
    }
    let sum = 0, count = 0;
    for (let row = Math.trunc(rect.y0); row < Math.trunc(rect.y1); row++) {
      for (let column = Math.trunc(rect.x0); column < Math.trunc(rect.x1); column++) {
        if (row < 0 || column < 0 || row >= frame.height || column >= frame.width) continue;
        sum += final[row * frame.width + column];
        count++;
      }
    }
    return sum / count;
  });
}

function someBoxes(count: number, maps: number, frame: Frame, seed: number): ScoreBox[] {
  const rng = createRng(seed);
  return Array.from({ length: count }, (_, i) => {
    const x0 = (rng.uniform() * 1.3 - 0.2) * frame.width;
    const y0 = (rng.uniform() * 1.3 - 0.2) * frame.height;
    const size = rng.below(4) === 0 ? 1.5 : frame.width;
    return {
      map: i % maps,
      rect: { x0, y0, x1: x0 + size * rng.uniform(), y1: y0 + size * rng.uniform() },
    };
  });
}

function batchOf(ready: Float32Array, maps: number, height: number, width: number): MapBatch {
  return { maps, height, width, rectify: true, from: { ready } };
}

const halfPixelFrame = (batch: MapBatch, width: number, height: number): Frame => ({
  width,
  height,
  placement: halfPixelPlacement(batch.width, batch.height, width, height),
});

for (const mean of ["exact", "pixels"] as const) {
  onBoth(`scoreMaps (${mean}) of an activation equals the definition`, async (compute) => {
    const [images, perImage, channels, height, width] = [3, 2, 40, 7, 6];
    const activation = noise(images * channels * height * width, 20);
    const weights = noise(images * perImage * channels, 21);
    const batch: MapBatch = {
      maps: images * perImage,
      height,
      width,
      rectify: true,
      from: { activation, weights, channels, perImage },
    };
    const frame: Frame = {
      width: 48,
      height: 41,
      placement: { x: { scale: 1 / 8, offset: -3.5 / 8 }, y: { scale: 1 / 5, offset: -1.1 } },
    };
    const raw = await rawMaps(compute, batch);
    const boxes = someBoxes(60, 6, frame, 22);
    const found = await scoreMaps(compute, batch, frame, boxes, mean);
    assertClose(found, naiveScores(raw, batch, frame, boxes, mean), { absolute: 2e-6, nan: true });
    assertSome(found, Number.isNaN);
    assertMore(found.filter(Number.isFinite).length, 30);
  });
}

for (const net of ["resish", "mobile", "alexish"]) {
  onBoth(`finalMaps equals pytorch-grad-cam's final map of ${net}`, async (compute) => {
    const folder = new URL("../golden/kernels/", import.meta.url);
    const raw = readNpy(await Deno.readFile(new URL(`pgc_${net}_raw.npy`, folder)));
    const map = readNpy(await Deno.readFile(new URL(`pgc_${net}_map.npy`, folder)));
    const batch = batchOf(raw.data as Float32Array, raw.shape[0], raw.shape[1], raw.shape[2]);
    const frame = halfPixelFrame(batch, map.shape[2], map.shape[1]);
    const final = await finalMaps(compute, batch, frame);
    assertClose(final, map.data as Float32Array, 1e-6);
  });
}

onBoth("finalMaps equals its formula in terms of the raw map's samples", async (compute) => {
  // A map so faint that the epsilons count, and one with an offset a thousand times its range.
  const ready = noise(3 * 35, 23).map((x, i) => i < 35 ? x : i < 70 ? x * 1e-7 : 1000 + x);
  const batch = { ...batchOf(ready, 3, 5, 7), rectify: false };
  const frame = halfPixelFrame(batch, 33, 29);
  const final = await finalMaps(compute, batch, frame);
  for (let map = 0; map < 3; map++) {
    const { final: expected } = naive(ready.subarray(map * 35), 5, 7, frame);
    assertClose(final.subarray(map * 957, (map + 1) * 957), expected, 2e-6);
  }
});

onBoth("constant and all-negative maps score 0, maps with NaN or infinity NaN", async (compute) => {
  const ready = Float32Array.from({ length: 5 * 9 }, (_, i) => i < 9 ? 3 : i < 18 ? -i : i % 9);
  ready[18 + 4] = NaN;
  ready[27] = Infinity;
  const batch = batchOf(ready, 5, 3, 3);
  const frame = halfPixelFrame(batch, 30, 30);
  const rect = { x0: 20, y0: 20, x1: 30, y1: 30 };
  const boxes = [0, 1, 2, 3, 4].map((map) => ({ map, rect }));
  for (const mean of ["exact", "pixels"] as const) {
    const scores = await scoreMaps(compute, batch, frame, boxes, mean);
    assert.deepEqual(Array.from(scores.subarray(0, 4)), [0, 0, NaN, NaN]);
    assertMore(scores[4], 0.9);
    assertLess(scores[4], 1);
  }
  const final = await finalMaps(compute, batch, frame);
  const kinds = [0, 1, 2, 3].map((map) => [...new Set(final.subarray(map * 900, (map + 1) * 900))]);
  assert.deepEqual(kinds, [[0], [0], [NaN], [NaN]]);
});

onBoth("boxes outside, without area or with NaN corners score NaN", async (compute) => {
  const batch = batchOf(noise(9, 24), 1, 3, 3);
  const frame = halfPixelFrame(batch, 30, 20);
  const rects: Rect[] = [
    { x0: 30, y0: 0, x1: 40, y1: 20 },
    { x0: -5, y0: 0, x1: 0, y1: 20 },
    { x0: 0, y0: 20.5, x1: 30, y1: 25 },
    { x0: 5, y0: 5, x1: 5, y1: 9 },
    { x0: 9, y0: 5, x1: 5, y1: 9 },
    { x0: NaN, y0: 5, x1: 5, y1: 9 },
    { x0: 0, y0: 0, x1: 30, y1: NaN },
  ];
  const everything = { x0: -Infinity, y0: -1e30, x1: Infinity, y1: 1e30 };
  const frameItself = { x0: 0, y0: 0, x1: 30, y1: 20 };
  for (const mean of ["exact", "pixels"] as const) {
    const boxes = [...rects, everything, frameItself].map((rect) => ({ map: 0, rect }));
    const scores = await scoreMaps(compute, batch, frame, boxes, mean);
    assert.deepEqual(Array.from(scores.subarray(0, 7)), Array(7).fill(NaN));
    assertMore(scores[7], 0);
    assert.equal(scores[7], scores[8]);
  }
  // A box inside one pixel holds no pixel, but has an integral.
  const inside = [{ map: 0, rect: { x0: 4.2, y0: 4.2, x1: 4.8, y1: 4.9 } }];
  assert.deepEqual(await scoreMaps(compute, batch, frame, inside, "pixels"), Float32Array.of(NaN));
  assertAtLeast((await scoreMaps(compute, batch, frame, inside, "exact"))[0], 0);
});

onBoth(
  "the whole frame scores the mean of the final map, and adjacent boxes add up",
  async (compute) => {
    const batch = batchOf(noise(2 * 9 * 11, 25), 2, 9, 11);
    const frame = halfPixelFrame(batch, 60, 54);
    const box = (map: number, x0: number, y0: number, x1: number, y1: number) => ({
      map,
      rect: { x0, y0, x1, y1 },
    });
    const final = await finalMaps(compute, batch, frame);
    for (const mean of ["exact", "pixels"] as const) {
      const [whole, left, right, above, below] = await scoreMaps(compute, batch, frame, [
        box(1, 0, 0, 60, 54),
        box(1, 0, 0, 17, 54),
        box(1, 17, 0, 60, 54),
        box(1, 0, 0, 60, 40),
        box(1, 0, 40, 60, 54),
      ], mean);
      assertClose(
        [(left * 17 + right * 43) / 60, (above * 40 + below * 14) / 54],
        [whole, whole],
        5e-7,
      );
      if (mean === "pixels") {
        const ofMap = final.subarray(60 * 54);
        assertClose([whole], [ofMap.reduce((a, b) => a + b, 0) / ofMap.length], 5e-7);
      }
    }
  },
);

onBoth("exact and pixel means agree where pixels are small beside cells", async (compute) => {
  const batch = batchOf(noise(16, 26), 1, 4, 4);
  const rng = createRng(27);
  const boxes = Array.from({ length: 20 }, () => {
    const x0 = rng.below(300), y0 = rng.below(300);
    const rect = { x0, y0, x1: x0 + 100 + rng.below(112), y1: y0 + 100 + rng.below(112) };
    return { map: 0, rect };
  });
  const frame = halfPixelFrame(batch, 512, 512);
  const exact = await scoreMaps(compute, batch, frame, boxes, "exact");
  const pixels = await scoreMaps(compute, batch, frame, boxes, "pixels");
  // The midpoint rule is wrong only in pixels that hold a kink: less than (1 / 128 cell)² of a slope below 2.
  assertClose(exact, pixels, 1e-4);
});

onBoth("mirrored maps and boxes give mirrored scores", async (compute) => {
  const map = noise(30, 28);
  const flipped = map.map((_, i) => map[i - i % 6 + 5 - i % 6]);
  const batch = batchOf(map, 1, 5, 6);
  const frame = halfPixelFrame(batch, 66, 50);
  const boxes = someBoxes(30, 1, frame, 29);
  const mirrored = boxes.map(({ map, rect }) => ({
    map,
    rect: { ...rect, x0: 66 - rect.x1, x1: 66 - rect.x0 },
  }));
  const a = await scoreMaps(compute, batch, frame, boxes, "exact");
  const b = await scoreMaps(compute, batchOf(flipped, 1, 5, 6), frame, mirrored, "exact");
  assertClose(a, b, { absolute: 2e-6, nan: true });
});

onBoth("maps of one cell or one row can be scored", async (compute) => {
  const rect = { x0: 1.5, y0: 2, x1: 20, y1: 9 };
  const one = batchOf(Float32Array.of(0.7), 1, 1, 1);
  const frame = halfPixelFrame(one, 30, 10);
  const flat = await scoreMaps(compute, one, frame, [{ map: 0, rect }], "exact");
  assert.deepEqual(flat, Float32Array.of(0));
  const row = batchOf(Float32Array.of(0, 1, 2, 3, 4), 1, 1, 5);
  const rowFrame = halfPixelFrame(row, 30, 10);
  const boxes = [{ map: 0, rect }];
  const found = await scoreMaps(compute, row, rowFrame, boxes, "exact");
  assertClose(
    found,
    naiveScores(Float32Array.of(0, 1, 2, 3, 4), row, rowFrame, boxes, "exact"),
    5e-7,
  );
});

/** A batch with `perImage` maps an image, and its boxes. */
function shared(): [MapBatch, Frame, ScoreBox[]] {
  const [images, perImage, channels, height, width] = [5, 3, 7, 5, 6];
  const activation = noise(images * channels * height * width, 30);
  const weights = noise(images * perImage * channels, 31);
  const batch: MapBatch = {
    maps: images * perImage,
    height,
    width,
    rectify: true,
    from: { activation, channels, weights, perImage },
  };
  const frame = halfPixelFrame(batch, 24, 20);
  return [batch, frame, someBoxes(100, 15, frame, 32)];
}

async function everything(compute: Compute): Promise<Float32Array[]> {
  const [batch, frame, boxes] = shared();
  return [
    await rawMaps(compute, batch),
    await finalMaps(compute, batch, frame),
    await scoreMaps(compute, batch, frame, boxes, "exact"),
    await scoreMaps(compute, batch, frame, boxes, "pixels"),
  ];
}

// 480 is the size of one full-size map, 210 of one activation; both have to fit.
for (const maxLength of [480, 500, 1000, 1441, 3000]) {
  for (const maxGroups of [10, 100]) {
    onBoth(
      `parts give what the whole gives: buffers of ${maxLength}, ${maxGroups}² workgroups`,
      async (compute) => {
        const whole = await everything(await createCompute(compute.kind));
        const parts = await everything(compute);
        assert.deepEqual(parts, whole);
      },
      { maxLength, maxGroups },
    );
  }
}

onBoth("buffers on the device serve as well as arrays, and stay the caller's", async (compute) => {
  const [batch, frame, boxes] = shared();
  const from = batch.from as { activation: Float32Array; weights: Float32Array; channels: number };
  const activation = compute.upload(from.activation), weights = compute.upload(from.weights);
  const onDevice = { ...batch, from: { ...batch.from, activation, weights } };
  const expected = await scoreMaps(compute, batch, frame, boxes, "exact");
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(await scoreMaps(compute, onDevice, frame, boxes, "exact"), expected);
  }
  const ready = compute.upload(await rawMaps(compute, batch));
  const again = { ...batch, from: { ready } };
  assert.deepEqual(await scoreMaps(compute, again, frame, boxes, "exact"), expected);
  compute.free(activation, weights, ready);
});

onBoth("nothing in, nothing out", async (compute) => {
  const none = batchOf(new Float32Array(0), 0, 7, 7);
  const frame = halfPixelFrame(none, 30, 30);
  assert.equal((await rawMaps(compute, none)).length, 0);
  assert.equal((await finalMaps(compute, none, frame)).length, 0);
  assert.equal((await scoreMaps(compute, none, frame, [], "exact")).length, 0);
  assert.equal(
    (await scoreMaps(compute, batchOf(noise(4, 1), 1, 2, 2), frame, [], "pixels")).length,
    0,
  );
});

onBoth("sizes that do not fit are refused by name", async (compute) => {
  const batch = batchOf(noise(8, 33), 3, 2, 2);
  const frame = halfPixelFrame(batch, 10, 10);
  await assert.rejects(rawMaps(compute, batch), /buffer activation has 8 elements, 12 are needed/);
  const rect = { x0: 0, y0: 0, x1: 1, y1: 1 };
  await assert.rejects(
    scoreMaps(compute, batch, frame, [{ map: 3, rect }], "exact"),
    /Cannot score a box on map 3: there are 3 maps/,
  );
  const flat = { ...frame, placement: { ...frame.placement, x: { scale: 0, offset: 0 } } };
  await assert.rejects(finalMaps(compute, batch, flat), /scales 0, 0.2 and offsets 0, -0.5/);
  await assert.rejects(finalMaps(compute, batch, { ...frame, width: 0 }), /frame of 0 × 10 pixels/);
  await assert.rejects(rawMaps(compute, { ...batch, height: 0 }), /3 maps of 0 × 2 cells/);
});

gpuTest("GPU and CPU agree on a large batch", async () => {
  const batch = batchOf(noise(20 * 169, 34), 20, 13, 13);
  const frame = halfPixelFrame(batch, 227, 227);
  const boxes = someBoxes(2000, 20, frame, 35);
  for (const mean of ["exact", "pixels"] as const) {
    const [cpu, gpu] = await Promise.all(
      (["cpu", "gpu"] as const).map(async (kind) =>
        scoreMaps(await createCompute(kind), batch, frame, boxes, mean)
      ),
    );
    assertAtMost(distance(cpu, gpu), 2e-6, `${mean}`);
  }
});
