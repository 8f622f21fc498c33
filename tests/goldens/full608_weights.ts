/**
 * The 259 MB weights of the 601-class network, which are not stored: made from a seed, by the rule in `full608/INDEX.md`.
 */

import { parseCfg } from "../../src/importers/darknet/cfg.ts";
import { weightCounts } from "../../src/importers/darknet/layer.ts";
import { readNetwork } from "../../src/importers/darknet/network.ts";

const SEED = 608001;

/** MurmurHash3's last step, on 32-bit integers. */
function fmix32(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The cfg that the weights belong to. */
export function full608Cfg(goldens: URL): URL {
  return new URL("published/yolov3-openimages.cfg", goldens);
}

/** Writes the weights file; its SHA-256 is in the INDEX. */
export async function writeFull608(goldens: URL, path: string): Promise<void> {
  const { layers } = readNetwork(
    parseCfg(await Deno.readTextFile(full608Cfg(goldens)), "openimages"),
    "openimages",
  );
  const calibrated = new Float32Array(
    (await Deno.readFile(new URL("detector/full608/calibrated.f32", goldens))).slice().buffer,
  );
  let taken = 0;
  using file = await Deno.open(path, { write: true, createNew: true });
  const write = async (data: ArrayBufferView) => {
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  };
  const header = new DataView(new ArrayBuffer(20));
  header.setInt32(4, 2, true);
  header.setBigUint64(12, BigInt(SEED), true);
  await write(header);
  for (const layer of layers) {
    const { index, operation, input } = layer;
    if (operation.kind !== "convolutional") continue;
    const counts = weightCounts(layer)!;
    // Filter by filter, each with its own bound.
    const uniform = (
      perFilter: number,
      kind: number,
      bound: (filter: number) => number,
      centre = 0,
    ) => {
      const key = fmix32((SEED + 0x9e3779b9 * (8 * index + kind + 1)) % 2 ** 32);
      const values = new Float32Array(counts.filters * perFilter);
      for (let filter = 0, i = 0; filter < counts.filters; filter++) {
        const low = centre - bound(filter), width = centre + bound(filter) - low;
        for (let k = 0; k < perFilter; k++, i++) {
          values[i] = low + width * ((fmix32(key + Math.imul(0x9e3779b9, i)) >>> 8) * 2 ** -24);
        }
      }
      return values;
    };
    const measured = (count: number) => calibrated.subarray(taken, taken += count);
    const fan = input.channels * operation.size ** 2;
    const perFilter = counts.weights / counts.filters;
    if (operation.batchNormalize) {
      await write(uniform(1, 0, () => 0.3));
      await write(uniform(1, 1, () => 0.3, 1));
      await write(measured(counts.filters));
      await write(measured(counts.filters));
      await write(uniform(perFilter, 4, () => Math.sqrt(3 / fan)));
    } else {
      await write(measured(counts.filters));
      await write(uniform(perFilter, 4, (filter) => {
        const q = filter % 606;
        return (q < 2 ? 1 : q < 4 ? 0.5 : q === 4 ? 2 : 1.5) * Math.sqrt(6 / fan);
      }));
    }
  }
}
