/** What the tests of the shipped nets share: reading references, sessions, and the largest difference. */

import { readNpy } from "../src/base/npy.ts";
import { floats, type Tensor } from "../src/base/tensor.ts";
import { type Backend, type Session, toFloats } from "../src/runtime/session.ts";
import { openSession } from "../src/runtime/open.ts";

/** A float32 reference tensor. */
export async function readReference(file: URL): Promise<Tensor> {
  const value = readNpy(await Deno.readFile(file));
  if (value.type !== "float32") throw new TypeError(`${file}: ${value.type}`);
  return value;
}

/** [N, H, W, C] to [N, C, H, W], with `f(value, channel)` applied. */
export function toChannelsFirst(
  value: Tensor,
  f: (value: number, channel: number) => number = (x) => x,
): Tensor {
  const [n, h, w, c] = value.shape as [number, number, number, number];
  const data = new Float32Array(value.data.length);
  for (let i = 0, from = 0; i < n; i++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let k = 0; k < c; k++) data[((i * c + k) * h + y) * w + x] = f(value.data[from++], k);
      }
    }
  }
  return floats([n, c, h, w], data);
}

/** The largest absolute difference. Lengths must agree; NaN anywhere gives NaN. */
export function largestDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) {
    throw new RangeError(`${found.length} values against ${expected.length}`);
  }
  let largest = 0;
  for (let i = 0; i < found.length; i++) {
    const difference = Math.abs(found[i] - expected[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/** Opens a shipped net. */
export async function openNet(name: string, backend: Backend): Promise<Session> {
  const bytes = await Deno.readFile(new URL(`../models/${name}.onnx`, import.meta.url));
  return await openSession(bytes, backend);
}

/** Runs a session on one input; all outputs as float32. */
export async function runNet(session: Session, input: Tensor): Promise<Record<string, Tensor>> {
  const results: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(await session.run({ input }))) {
    results[name] = await toFloats(value);
  }
  return results;
}
