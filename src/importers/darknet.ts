/**
 * Darknet's cfg and weights.
 *
 * @module
 */

import type { Importer } from "./importer.ts";
import { defined } from "../base/defined.ts";

/** A detector with YOLO heads, as Darknet has it. */
export const darknet: Importer = {
  name: "darknet",
  title: "a detector with YOLO heads: YOLOv3, v3-tiny, v3-spp, Open Images …",
  files: [
    { name: "cfg", description: "the network", required: true },
    { name: "weights", description: "its weights", required: true },
    {
      name: "names",
      description: "names of its classes, one per line; without it they are numbered",
    },
  ],
  async import({ cfg = "", weights = "", names }, _source, place) {
    const { importDarknet } = await import("./darknet/import.ts");
    return await importDarknet({ cfg, weights, ...defined({ names }), ...place });
  },
};
