/**
 * The kernels' twins on typed arrays: the path of machines without a GPU, and the oracle of those with one.
 *
 * @module
 */

import { GpuError } from "../base/errors.ts";
import type { Compute, ComputeBuffer, ComputeLimits } from "./compute.ts";
import {
  type BufferArrays,
  type BufferSpec,
  checkArguments,
  checkSlice,
  type Scalar,
  type ScalarArrays,
  scalarOf,
} from "./kernel.ts";

interface CpuBuffer extends ComputeBuffer {
  readonly data: ScalarArrays[Scalar];
}

const ARRAYS = { f32: Float32Array, u32: Uint32Array, i32: Int32Array } as const;

/** Makes a Compute that runs the twins. */
export function createCpuCompute(limits: ComputeLimits = {}): Compute {
  const wrap = (type: Scalar, data: ScalarArrays[Scalar]): CpuBuffer => ({
    type,
    length: data.length,
    data,
  });
  return {
    kind: "cpu",
    maxLength: limits.maxLength ?? 2 ** 31 - 1,
    upload: (data) => wrap(scalarOf(data), data),
    alloc: (length, type = "f32") => wrap(type, new ARRAYS[type](length)),
    adopt() {
      throw new GpuError("Cannot adopt a GPU buffer on the CPU: read it and upload its values");
    },
    slice(buffer, from, to) {
      checkSlice(buffer, from, to);
      return wrap(buffer.type, dataOf(buffer).subarray(from, to));
    },
    run(kernel, params, buffers) {
      checkArguments(kernel, params, buffers);
      if (kernel.groups(params) === 0) return;
      // The types of the arrays have just been checked one by one.
      const arrays = buffers.map(dataOf) as unknown as BufferArrays<readonly BufferSpec[]>;
      kernel.cpu(params, ...(arrays as BufferArrays<typeof kernel.buffers>));
    },
    read: (buffer) => Promise.resolve(Float32Array.from(dataOf(buffer))),
    free() {},
  };
}

function dataOf(buffer: ComputeBuffer): ScalarArrays[Scalar] {
  if (!("data" in buffer)) {
    throw new GpuError("Cannot use a GPU buffer on the CPU: read it and upload its values");
  }
  return (buffer as CpuBuffer).data;
}
