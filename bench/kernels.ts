/**
 * What scoring costs: a batch of EmoNet's target layer (256 × 13 × 13, input 227 × 227) with ten boxes an image, from
 * channel weights to importances and to final maps.
 *
 *     deno run --allow-read --allow-env --allow-sys --allow-ffi bench/kernels.ts
 *
 * Prints the median time of a batch in milliseconds and the rate of boxes.
 */

import { createRng } from "../src/base/rng.ts";
import { createCompute } from "../src/gpu/compute.ts";
import { closeGpu, openGpu } from "../src/gpu/device.ts";
import { halfPixelPlacement } from "../src/image/geometry.ts";
import { finalMaps, type MapBatch, rawMaps, scoreMaps } from "../src/kernels/score.ts";

const IMAGES = 8, CHANNELS = 256, CELLS = 13, INPUT = 227, BOXES = 10, ROUNDS = 30;

const rng = createRng(1);
const random = (length: number) => Float32Array.from({ length }, () => rng.normal());
const activation = random(IMAGES * CHANNELS * CELLS * CELLS), weights = random(IMAGES * CHANNELS);
const frame = {
  width: INPUT,
  height: INPUT,
  placement: halfPixelPlacement(CELLS, CELLS, INPUT, INPUT),
};
const boxes = Array.from({ length: IMAGES * BOXES }, (_, i) => {
  const x0 = rng.uniform() * 200, y0 = rng.uniform() * 200;
  const rect = { x0, y0, x1: x0 + 20 + rng.uniform() * 100, y1: y0 + 20 + rng.uniform() * 100 };
  return { map: i % IMAGES, rect };
});

async function median(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1];
}

const gpu = await openGpu();
console.log(`batch of ${IMAGES} × ${CHANNELS} × ${CELLS}², input ${INPUT}², ${boxes.length} boxes`);
for (const kind of gpu ? ["cpu", "gpu"] as const : ["cpu"] as const) {
  const compute = await createCompute(kind);
  // The activation lies where the model left it.
  const resident = compute.upload(activation);
  const from = { activation: resident, channels: CHANNELS, weights };
  const batch: MapBatch = { maps: IMAGES, height: CELLS, width: CELLS, rectify: true, from };
  const ready: MapBatch = { ...batch, from: { ready: await rawMaps(compute, batch) } };
  const times = {
    "raw maps": await median(() => rawMaps(compute, batch)),
    "importances, exact": await median(() => scoreMaps(compute, batch, frame, boxes, "exact")),
    "the same from raw maps": await median(() => scoreMaps(compute, ready, frame, boxes, "exact")),
    "importances, pixels": await median(() => scoreMaps(compute, batch, frame, boxes, "pixels")),
    "final maps": await median(() => finalMaps(compute, batch, frame)),
  };
  console.log(kind === "gpu" ? `gpu (${gpu!.description})` : "cpu twins");
  for (const [name, time] of Object.entries(times)) {
    const rate = name.startsWith("imp")
      ? `  ${Math.round(boxes.length / time * 1000)} boxes/s`
      : "";
    console.log(`  ${name.padEnd(24)} ${time.toFixed(3).padStart(8)} ms${rate}`);
  }
  compute.free(resident);
}
await closeGpu();
