/**
 * What scoring costs: a batch of EmoNet's target layer (256 × 13 × 13, input 227 × 227) with ten boxes an image, from
 * channel weights to importances, against the plain way with full-size maps; on the CPU twins and, with an adapter, the GPU.
 *
 * @module
 */

import { createRng } from "../src/base/rng.ts";
import { textTable } from "../src/commands/terminal.ts";
import type { Compute } from "../src/gpu/compute.ts";
import { createCompute } from "../src/gpu/create_compute.ts";
import { closeGpu, openGpu } from "../src/gpu/device.ts";
import { halfPixelPlacement } from "../src/image/geometry.ts";
import { finalMaps, type MapBatch, rawMaps, scoreMaps } from "../src/kernels/box_scores.ts";
import { type Benchmark, digits, race } from "./benchmark.ts";
import { pixelByPixel } from "./pixel_by_pixel.ts";

const IMAGES = 8, CHANNELS = 256, CELLS = 13, INPUT = 227, BOXES = 10;

export const kernels: Benchmark = {
  name: "kernels",
  title:
    `scoring ${IMAGES * BOXES} boxes of ${IMAGES} maps of ${CHANNELS} x ${CELLS} x ${CELLS}, ` +
    `input ${INPUT} x ${INPUT}`,
  async run() {
    const gpu = await openGpu();
    const cpu = await createCompute("cpu");
    const machines: [string, Compute][] = [["CPU twins", cpu]];
    if (gpu) machines.push([gpu.software ? "software GPU" : "GPU", await createCompute("gpu")]);
    const contenders: Record<string, () => unknown> = {};
    for (const [machine, compute] of machines) {
      const { batch, frame, boxes } = inputs(compute);
      const name = (what: string) => `${machine}: ${what}`;
      contenders[name("pixel by pixel")] = () => pixelByPixel(compute, batch, frame, boxes);
      contenders[name("exact integral")] = () => scoreMaps(compute, batch, frame, boxes, "exact");
      contenders[name("whole pixels")] = () => scoreMaps(compute, batch, frame, boxes, "pixels");
      contenders[name("raw maps only")] = () => rawMaps(compute, batch);
      contenders[name("final maps")] = () => finalMaps(compute, batch, frame);
    }
    const times = await race(contenders, { seconds: gpu ? 8 : 4 });
    const plain = times["CPU twins: pixel by pixel"]!;
    console.log(textTable(
      ["way", "ms a batch", "boxes/s", "times the plain way's speed"],
      Object.entries(times).map(([name, time]) => [
        name,
        digits(time),
        /maps/.test(name) ? "" : digits(1000 * IMAGES * BOXES / time),
        digits(plain / time),
      ]),
    ));
    if (gpu) console.log(`GPU: ${gpu.description}; its activation lies on the device already`);
    else console.log("GPU: skipped, this machine offers no adapter");
    await closeGpu();
  },
};

function inputs(compute: Compute) {
  const rng = createRng(1);
  const random = (length: number) => Float32Array.from({ length }, () => rng.normal());
  const activation = random(IMAGES * CHANNELS * CELLS * CELLS);
  const weights = random(IMAGES * CHANNELS);
  // The activation lies where the model left it.
  const from = { activation: compute.upload(activation), channels: CHANNELS, weights };
  const batch: MapBatch = { maps: IMAGES, height: CELLS, width: CELLS, rectify: true, from };
  const placement = halfPixelPlacement(CELLS, CELLS, INPUT, INPUT);
  const boxes = Array.from({ length: IMAGES * BOXES }, (_, i) => {
    const x0 = rng.uniform() * 200, y0 = rng.uniform() * 200;
    const rect = { x0, y0, x1: x0 + 20 + rng.uniform() * 100, y1: y0 + 20 + rng.uniform() * 100 };
    return { map: i % IMAGES, rect };
  });
  return { batch, frame: { width: INPUT, height: INPUT, placement }, boxes };
}
