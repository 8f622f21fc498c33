/**
 * The importers: one file each.
 *
 * @module
 */

import { darknet } from "./darknet.ts";
import { emonet } from "./emonet.ts";
import type { Importer } from "./importer.ts";
import { onnx } from "./onnx.ts";

/** In the order of the help. */
export const IMPORTERS: readonly Importer[] = [darknet, emonet, onnx];
