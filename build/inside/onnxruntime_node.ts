/**
 * Stands for the package `onnxruntime-node` inside the binary: the package itself, after its library.
 *
 * @module
 */

import "./onnxruntime_node_library.ts";
// Seen from this folder, the name means the package.
export { default } from "onnxruntime-node";
