/**
 * One session type over three ONNX Runtime backends.
 *
 * - `webgpu`: onnxruntime-web on *our* GPUDevice; outputs can stay on it as {@linkcode GpuTensor}.
 * - `native`: onnxruntime-node, the CPU library of the platform.
 * - `wasm`: onnxruntime-web's WebAssembly, which runs everywhere.
 *
 * Each backend is a file of its own and is loaded when it is first used; `native` may be missing on a platform.
 *
 * @module
 */

import { messageOf, ModelError } from "../base/errors.ts";
import type { AnyTensor, ElementType, Tensor } from "../base/tensor.ts";
import { findGpu } from "../gpu/device.ts";
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

/** What a backend file exports. */
export interface BackendModule {
  /** Package and version, for the manifest. */
  readonly version: string;
  open(model: Uint8Array, options: SessionOptions): Promise<Session>;
}

async function load(backend: Backend): Promise<BackendModule> {
  // Literal specifiers, so that `deno compile` finds and embeds them.
  switch (backend) {
    case "webgpu":
      return await import("./backends/webgpu.ts");
    case "native":
      return await import("./backends/native.ts");
    case "wasm":
      return await import("./backends/wasm.ts");
  }
}

/**
 * Loads a model on a backend.
 *
 * @throws {ModelError} when ONNX Runtime refuses the model or the backend is not there.
 */
export async function openSession(
  model: Uint8Array,
  backend: Backend,
  options: SessionOptions = {},
): Promise<Session> {
  let module: BackendModule;
  try {
    module = await load(backend);
  } catch (error) {
    throw new ModelError(
      `Cannot use backend ${backend}: ${messageOf(error)}; choose another with --backend`,
    );
  }
  return await module.open(model, options);
}

/** Package name and version behind a backend. */
export async function backendVersion(backend: Backend): Promise<string> {
  return (await load(backend)).version;
}

/** A backend and the reason for its choice. */
export interface BackendChoice {
  backend: Backend;
  reason: string;
}

/**
 * Chooses a backend. `auto` takes a hardware GPU if there is one, else the native CPU library, else WASM; a software
 * adapter only when `webgpu` is asked for by name.
 *
 * @throws {ModelError} when a backend asked for by name cannot be used here.
 */
export async function chooseBackend(asked: Backend | "auto"): Promise<BackendChoice> {
  const gpu = asked === "auto" || asked === "webgpu" ? await findGpu() : undefined;
  if (asked === "webgpu") {
    if (!gpu) {
      throw new ModelError(
        "Cannot use backend webgpu: this machine offers no GPU adapter; use --backend auto, native or wasm",
      );
    }
    return { backend: "webgpu", reason: `asked for; on ${describe(gpu)}` };
  }
  if (asked !== "auto") {
    await load(asked).catch((error) => {
      throw new ModelError(
        `Cannot use backend ${asked}: ${messageOf(error)}; use --backend auto or wasm`,
      );
    });
    return { backend: asked, reason: "asked for" };
  }
  if (gpu && !gpu.software) return { backend: "webgpu", reason: `hardware GPU ${gpu.description}` };
  const why = gpu ? `only a software GPU (${gpu.description})` : "no GPU adapter";
  try {
    await load("native");
    return { backend: "native", reason: why };
  } catch (error) {
    return { backend: "wasm", reason: `${why}, and no native CPU library (${messageOf(error)})` };
  }
}

function describe(gpu: { description: string; software: boolean }): string {
  return gpu.software ? `${gpu.description}, a software adapter` : gpu.description;
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
