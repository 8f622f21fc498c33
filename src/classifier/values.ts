/**
 * Values of a session wherever they lie.
 *
 * @module
 */

import { sizeOf, type Tensor } from "../base/tensor.ts";
import { readBuffer } from "../gpu/buffer.ts";
import { isGpuTensor, type SessionValue, toFloats } from "../runtime/session.ts";

/** One row of a value, on the CPU; a value on the GPU stays there too. */
export async function rowOf(value: SessionValue, row: number): Promise<Tensor> {
  const all = await readFloats(value);
  const size = sizeOf(all.shape.slice(1));
  const data = all.data.slice(row * size, (row + 1) * size);
  return { type: "float32", shape: [1, ...all.shape.slice(1)], data };
}

/** A value's elements on the CPU; unlike `toFloats` it leaves a buffer on the GPU in place. */
export async function readFloats(value: SessionValue): Promise<Tensor> {
  if (!isGpuTensor(value)) return await toFloats(value);
  const data = await readBuffer(value.buffer, sizeOf(value.shape));
  return { type: "float32", shape: value.shape, data };
}

/** Gives a value's GPU buffer back, if it has one. */
export function release(value: SessionValue): void {
  if (isGpuTensor(value)) value.dispose();
}
