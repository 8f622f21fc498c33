/**
 * Layers of convolutional networks: [N, C, h, w].
 *
 * @module
 */

import type { LayerForm } from "./layer_form.ts";

/** Channels before cells, as ONNX has it: such a layer is a grid as it is. */
export const channelsFirst: LayerForm = {
  shape: "[N, C, h, w]",
  rank: 4,
  axes: [2, 3],
  extents(shape) {
    const [, channels, height, width] = shape;
    return shape.length === 4 && typeof channels === "number" && typeof height === "number" &&
        typeof width === "number"
      ? { channels, height, width }
      : undefined;
  },
  asGrid: (graph, layer) => ({ graph, layer }),
};
