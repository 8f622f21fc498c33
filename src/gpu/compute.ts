/**
 * Runs kernels on the GPU or on the CPU through one interface, so that callers are written once.
 *
 * @module
 */

import type { BufferSpec, Kernel, Params, PerBuffer, Scalar, ScalarArrays } from "./kernel.ts";

/** A buffer that kernels read and write: on the device or an array, according to the Compute that made it. */
export interface ComputeBuffer {
  readonly type: Scalar;
  /** In elements of four bytes. */
  readonly length: number;
}

/** Runs kernels on one kind of machine. Buffers belong to the Compute that made them. */
export interface Compute {
  readonly kind: "gpu" | "cpu";
  /** The longest buffer that a kernel can take, in elements. Callers cut longer work into parts. */
  readonly maxLength: number;
  /** A buffer with these values. On the CPU it shares the array. */
  upload(data: ScalarArrays[Scalar]): ComputeBuffer;
  /** A buffer of zeros. */
  alloc(length: number, type?: Scalar): ComputeBuffer;
  /**
   * Wraps the first `length` floats of a buffer made elsewhere on the same device (ONNX Runtime's outputs, which can
   * be larger than their tensor). It stays its maker's: `free` leaves it alone, and it has to live until the
   * kernels that use it have been given to `run`.
   *
   * @throws {GpuError} on the CPU.
   * @throws {RangeError} when the buffer is shorter.
   */
  adopt(buffer: GPUBuffer, length: number): ComputeBuffer;
  /**
   * Elements `from` (inclusive) to `to` (exclusive) as a buffer to read from; it shares memory where alignment allows and
   * is a copy on the device elsewhere. Valid as long as the whole is.
   */
  slice(buffer: ComputeBuffer, from: number, to: number): ComputeBuffer;
  /**
   * Runs a kernel; work is done in the order of the calls. Kernels with nothing to do are left out.
   *
   * @throws {RangeError} when parameters or buffers do not fit the kernel.
   * @throws {GpuError} when a buffer is longer than the device can bind. What the device itself reports (a shader that
   * does not compile, memory that has run out) is thrown by the next `read`.
   */
  run<P extends string, B extends readonly BufferSpec[]>(
    kernel: Kernel<P, B>,
    params: Params<P>,
    buffers: PerBuffer<B, ComputeBuffer>,
  ): void;
  /**
   * Copies a float buffer to the CPU, after all kernels before it.
   *
   * @throws {GpuError} with the first failure of anything run since the last `read`.
   */
  read(buffer: ComputeBuffer): Promise<Float32Array>;
  /** Gives buffers back; kernels already run keep what they need. */
  free(...buffers: ComputeBuffer[]): void;
}

/** Smaller limits than the machine's, so that tests reach them with small data. */
export interface ComputeLimits {
  readonly maxLength?: number;
  readonly maxGroups?: number;
}
