/**
 * ONNX files of other programs.
 *
 * @module
 */

import type { Importer } from "./importer.ts";
import { defined } from "../base/defined.ts";

/** A model as an exporter wrote it. */
export const onnx: Importer = {
  name: "onnx",
  title: "a model as an exporter wrote it (operator set 9 to 21)",
  source: { name: "file", description: "the ONNX file" },
  files: [{
    name: "card",
    description: "its card; without it, a classifier with numbered classes is assumed",
  }],
  async import({ card }, source, place) {
    const { importOnnx } = await import("./onnx/import.ts");
    return await importOnnx(source, { ...defined({ card }), ...place });
  },
};
