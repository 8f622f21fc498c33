/**
 * Control: a random map.
 *
 * @module
 */

import { floats } from "../base/tensor.ts";
import type { Method } from "./method.ts";

/**
 * Independent uniform numbers in [0, 1), one a cell of the target layer: what importances look like when a map knows nothing.
 * The same sample, class and seed give the same map.
 */
export const randomMap: Method = {
  name: "random-map",
  title: "random map (control)",
  source: "control; Quantus uses uniform noise likewise",
  family: "control",
  rectify: false,
  usesTarget: false,
  ignores: ["picture", "model"],
  random: true,
  unsupported: () => undefined,
  compute({ classifier, rng }, classes) {
    const { height, width } = classifier.layer;
    const cells = height * width;
    const map = new Float32Array(classes.length * cells);
    classes.forEach((k, row) => {
      const draw = rng("random-map", row).split(k);
      for (let i = 0; i < cells; i++) map[row * cells + i] = draw.uniform();
    });
    return Promise.resolve({ map: floats([classes.length, height, width], map) });
  },
};
