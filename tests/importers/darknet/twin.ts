/**
 * Darknet's forward pass as its C code has it, one loop after the other in double precision: the slow twin of the imported
 * graph. And weights for it.
 */

import { createRng } from "../../../src/base/rng.ts";
import {
  type DarknetLayer,
  type Extent,
  weightCounts,
} from "../../../src/importers/darknet/layer.ts";
import type { DarknetNetwork } from "../../../src/importers/darknet/network.ts";
import type { ConvolutionWeights } from "../../../src/importers/darknet/weights.ts";

/** Each function as `activations.h` writes it. */
const ACTIVATE: Record<string, (x: number) => number> = {
  linear: (x) => x,
  logistic: (x) => 1 / (1 + Math.exp(-x)),
  loggy: (x) => 2 / (1 + Math.exp(-x)) - 1,
  relu: (x) => x > 0 ? x : 0,
  elu: (x) => x >= 0 ? x : Math.exp(x) - 1,
  selu: (x) => x >= 0 ? 1.0507 * x : 1.0507 * 1.6732 * (Math.exp(x) - 1),
  relie: (x) => x > 0 ? x : 0.01 * x,
  ramp: (x) => (x > 0 ? x : 0) + 0.1 * x,
  leaky: (x) => x > 0 ? x : 0.1 * x,
  tanh: (x) => (Math.exp(2 * x) - 1) / (Math.exp(2 * x) + 1),
  plse: (x) => x < -4 ? 0.01 * (x + 4) : x > 4 ? 0.01 * (x - 4) + 1 : 0.125 * x + 0.5,
  stair: (x) => {
    const n = Math.floor(x);
    return n % 2 === 0 ? Math.floor(x / 2) : x - n + Math.floor(x / 2);
  },
  hardtan: (x) => x < -1 ? -1 : x > 1 ? 1 : x,
  lhtan: (x) => x < 0 ? 0.001 * x : x > 1 ? 0.001 * (x - 1) + 1 : x,
};

/** The activations that the twin knows. */
export const TWIN_ACTIVATIONS = Object.keys(ACTIVATE);

const sizeOf = ({ channels, height, width }: Extent) => channels * height * width;

/** The input of every [yolo] layer. */
export function forwardTwin(
  { layers }: DarknetNetwork,
  weights: ReadonlyMap<number, ConvolutionWeights>,
  image: ArrayLike<number>,
): Float64Array[] {
  const outputs: Float64Array[] = [];
  const heads: Float64Array[] = [];
  for (const layer of layers) {
    const before = layer.index === 0 ? Float64Array.from(image) : outputs[layer.index - 1];
    if (layer.operation.kind === "yolo") heads.push(before);
    outputs.push(run(layer, before, outputs, weights));
  }
  return heads;
}

function run(
  layer: DarknetLayer,
  x: Float64Array,
  outputs: readonly Float64Array[],
  weights: ReadonlyMap<number, ConvolutionWeights>,
): Float64Array {
  const { operation, input, output } = layer;
  switch (operation.kind) {
    case "yolo":
      return x;
    case "shortcut":
      return x.map((value, i) =>
        ACTIVATE[operation.activation](value + outputs[operation.from][i])
      );
    case "route": {
      const joined = new Float64Array(sizeOf(output));
      let at = 0;
      for (const from of operation.from) {
        joined.set(outputs[from], at);
        at += outputs[from].length;
      }
      return joined;
    }
    case "upsample":
      return each(output, (c, y, z) =>
        operation.scale *
        x[
          (c * input.height + Math.floor(y / operation.stride)) * input.width +
          Math.floor(z / operation.stride)
        ]);
    case "maxpool": {
      const { size, stride, before } = operation;
      return each(output, (c, i, j) => {
        let best = -Infinity;
        for (let n = 0; n < size; n++) {
          for (let m = 0; m < size; m++) {
            const y = i * stride + n - before, z = j * stride + m - before;
            if (y < 0 || y >= input.height || z < 0 || z >= input.width) continue;
            best = Math.max(best, x[(c * input.height + y) * input.width + z]);
          }
        }
        return best;
      });
    }
    case "convolutional": {
      const { filters, size, stride, padding, groups, activation } = operation;
      const { biases, norm, weights: kernel } = weights.get(layer.index)!;
      const perGroup = input.channels / groups;
      return each(output, (f, i, j) => {
        const first = Math.floor(f / (filters / groups)) * perGroup;
        let sum = 0;
        for (let c = 0; c < perGroup; c++) {
          for (let n = 0; n < size; n++) {
            for (let m = 0; m < size; m++) {
              const y = i * stride + n - padding, z = j * stride + m - padding;
              if (y < 0 || y >= input.height || z < 0 || z >= input.width) continue;
              sum += kernel[((f * perGroup + c) * size + n) * size + m] *
                x[((first + c) * input.height + y) * input.width + z];
            }
          }
        }
        if (norm) {
          sum = (sum - norm.means[f]) / (Math.sqrt(norm.variances[f]) + 0.000001) *
            norm.scales[f];
        }
        return ACTIVATE[activation](sum + biases[f]);
      });
    }
  }
}

function each(
  { channels, height, width }: Extent,
  value: (c: number, y: number, x: number) => number,
): Float64Array {
  const out = new Float64Array(channels * height * width);
  for (let c = 0, at = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out[at++] = value(c, y, x);
  }
  return out;
}

/** A weights file (header 0.2.0) of seeded numbers that keep a network's values within reach. */
export function madeWeights({ layers }: DarknetNetwork, seed: number): Uint8Array {
  const rng = createRng(seed);
  const between = (low: number, high: number) => low + (high - low) * rng.uniform();
  const values: number[] = [];
  for (const layer of layers) {
    const counts = weightCounts(layer);
    if (!counts || layer.operation.kind !== "convolutional") continue;
    const many = (count: number, low: number, high: number) => {
      for (let i = 0; i < count; i++) values.push(between(low, high));
    };
    many(counts.filters, -0.5, 0.5);
    if (layer.operation.batchNormalize) {
      many(counts.filters, 0.5, 1.5);
      many(counts.filters, -0.5, 0.5);
      many(counts.filters, 0.01, 1);
    }
    const reach = Math.sqrt(3 / (counts.weights / counts.filters));
    many(counts.weights, -reach, reach);
  }
  const bytes = new Uint8Array(20 + 4 * values.length);
  new DataView(bytes.buffer).setInt32(4, 2, true);
  bytes.set(new Uint8Array(Float32Array.from(values).buffer), 20);
  return bytes;
}
