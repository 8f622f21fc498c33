/**
 * One session type over three ONNX Runtime backends.
 *
 * - `webgpu`: onnxruntime-web on *our* GPUDevice; outputs can stay on it as {@linkcode GpuTensor}.
 * - `native`: onnxruntime-node, the CPU library of the platform.
 * - `wasm`: onnxruntime-web's WebAssembly, which runs everywhere.
 *
 * Each backend is a separate file and is loaded when it is first used; `native` may be missing on a platform.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import type { AnyTensor, ElementType, Tensor } from "../base/tensor.ts";
import type { Backend } from "./backend_names.ts";

export { type Backend, BACKENDS } from "./backend_names.ts";

/** A tensor that lies on the shared GPUDevice (float32 only). `dispose` gives its buffer back. */
export interface GpuTensor {
  readonly buffer: GPUBuffer;
  readonly type: "float32";
  readonly shape: readonly number[];
  dispose(): void;
}

/** What goes into a session and comes out of it. */
export type SessionValue = AnyTensor | GpuTensor;

/** Whether a value lies on the GPU. */
export function isGpuTensor(value: SessionValue): value is GpuTensor {
  return "buffer" in value;
}

/** A loaded model. */
export interface Session {
  readonly backend: Backend;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Runs the model; the outputs named in `fetches` (by default all) come back under their names, and only what they need
   * is computed.
   *
   * @throws {ModelError} with ONNX Runtime's message when the model refuses its inputs or an operator fails.
   */
  run(
    feeds: Readonly<Record<string, SessionValue>>,
    fetches?: readonly string[],
  ): Promise<Record<string, SessionValue>>;
  dispose(): Promise<void>;
}

/** Settings of a session. */
export interface SessionOptions {
  /** Outputs that stay on the GPU (webgpu only; the CPU backends ignore it). */
  onDevice?: readonly string[];
  /** Threads of the CPU backends; by default all cores. */
  threads?: number;
}

/**
 * Brings a float32 output to the CPU and gives its GPU buffer back.
 *
 * @throws {ModelError} when the value is not float32.
 */
export async function toFloats(value: SessionValue): Promise<Tensor> {
  if (!isGpuTensor(value)) {
    if (value.type !== "float32") {
      throw new ModelError(`Cannot read a model's output as float32: its type is ${value.type}`);
    }
    return value;
  }
  const { readBuffer } = await import("../gpu/buffer.ts");
  const data = await readBuffer(value.buffer, value.shape.reduce((a, b) => a * b, 1));
  const shape = value.shape;
  value.dispose();
  return { type: "float32", shape, data };
}

/** Element types that ONNX Runtime's JavaScript tensors share with ours under the same name. */
export const ORT_TYPES: readonly ElementType[] = [
  "float32",
  "float64",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "bool",
  "float16",
];
