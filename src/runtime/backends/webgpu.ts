/**
 * Backend `webgpu`: onnxruntime-web on our own GPUDevice, so that its buffers are ours.
 *
 * @module
 */

import * as ort from "onnxruntime-web/webgpu";
import { GpuError } from "../../base/errors.ts";
import { openGpu } from "../../gpu/device.ts";
import type { Session, SessionOptions } from "../session.ts";
import { openWith } from "./ort.ts";

/** Package and version. */
export const version = `onnxruntime-web ${
  ort.env.versions.web ?? ort.env.versions.common
} (webgpu)`;

// Outside a browser the runtime cannot guess where its files are, and one thread is what its WebGPU build supports.
ort.env.wasm.numThreads = 1;
const mjs = import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs");
ort.env.wasm.wasmPaths = { mjs, wasm: mjs.replace(/mjs$/, "wasm") };

/** Loads a model. @throws {GpuError} without an adapter. @throws {ModelError} */
export async function open(model: Uint8Array, options: SessionOptions): Promise<Session> {
  const gpu = await openGpu();
  if (!gpu) throw new GpuError("Cannot use backend webgpu: this machine offers no GPU adapter");
  const locations: Record<string, "gpu-buffer"> = {};
  for (const name of options.onDevice ?? []) locations[name] = "gpu-buffer";
  return await openWith(ort, "webgpu", model, {
    // `device` is read by the WebGPU backend although its type leaves it out.
    executionProviders: [{ name: "webgpu", device: gpu.device } as { name: "webgpu" }],
    graphOptimizationLevel: "all",
    preferredOutputLocation: locations,
  });
}
