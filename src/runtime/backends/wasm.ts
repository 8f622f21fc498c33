/**
 * Backend `wasm`: onnxruntime-web's WebAssembly build with SIMD and threads.
 *
 * @module
 */

import * as ort from "onnxruntime-web";
import type { Session, SessionOptions } from "../session.ts";
import { openWith } from "./ort.ts";

/** Package and version. */
export const version = `onnxruntime-web ${ort.env.versions.web ?? ort.env.versions.common}`;

/** Loads a model. The number of threads is that of the first session: the runtime is started once. @throws {ModelError} */
export function open(model: Uint8Array, options: SessionOptions): Promise<Session> {
  ort.env.wasm.numThreads ??= options.threads ?? navigator.hardwareConcurrency;
  return openWith(ort, "wasm", model, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
}
