/**
 * Loads the library of the package `onnxruntime-node`.
 *
 * @module
 */

import { provideLibrary } from "./native_package.ts";

provideLibrary("onnxruntime-node");
