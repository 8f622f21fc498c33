/**
 * The generator of the reference networks' weights and inputs: 32-bit integers and float64 only, so that PyTorch's side and this one
 * agree bit for bit.
 */

import { sizeOf } from "../../../src/base/tensor.ts";

const SEED = 227001;

export function fmix32(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** One tensor's numbers: uniform from `lo` to `hi`. */
export interface Recipe {
  readonly shape: readonly number[];
  /** Number of the layer and kind of the tensor, which make the key. */
  readonly L: number;
  readonly kind: number;
  readonly lo: number;
  readonly hi: number;
}

export function generate({ shape, L, kind, lo, hi }: Recipe): Float32Array {
  const key = fmix32((SEED + Math.imul(0x9e3779b9, 8 * L + kind + 1)) >>> 0);
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) {
    const u = (fmix32((key + Math.imul(0x9e3779b9, i)) >>> 0) >>> 8) * 2 ** -24;
    data[i] = lo + (hi - lo) * u;
  }
  return data;
}

/** The input of the small network's reference pass, [3, 227, 227]. */
export function tinyInput(): Float32Array {
  const part = generate({ shape: [3, 227, 227], L: 29, kind: 0, lo: -120, hi: 130 });
  return part.map((value, i) => {
    const x = i % 227, y = Math.floor(i / 227) % 227, c = Math.floor(i / (227 * 227));
    return Math.fround(0.25 * value) + ((3 * y + (2 + c) * x) % 181 - 90);
  });
}
