/**
 * Stands for `onnxruntime-web` inside the binary: the package itself, with its WebAssembly at hand.
 *
 * @module
 */

// Seen from this folder, the name means the package.
import { env } from "onnxruntime-web";
import { readPacked } from "./packed.ts";

env.wasm.wasmBinary = readPacked("onnxruntime-web/ort-wasm-simd-threaded.wasm");

export * from "onnxruntime-web";
