import wgsl from "../../shaders/normalise.wgsl" with { type: "text" };
import { defineKernel } from "../gpu/kernel.ts";

const WORKGROUP = 64;

/**
 * Min-max normalisation: normalised[m, i] = (values[m, i] − low[m]) / (high[m] − low[m] + epsilon).
 *
 * Source: `scale_cam_image` of pytorch-grad-cam, where epsilon is 1e-7.
 *
 * Shapes: values and normalised [maps, size], extremes [maps, 2] as (low, high); `epsilon` > 0, so a constant map becomes 0.
 * A map whose extremes are NaN, or too far apart for a float, becomes NaN everywhere.
 */
export const normalise = defineKernel({
  name: "normalise",
  wgsl,
  params: { maps: "u32", size: "u32", epsilon: "f32" },
  buffers: [
    { name: "values", access: "read", type: "f32" },
    { name: "extremes", access: "read", type: "f32" },
    { name: "normalised", access: "write", type: "f32" },
  ],
  workgroup: WORKGROUP,
  groups: ({ maps, size }) => Math.ceil(maps * size / WORKGROUP),
  lengths: ({ maps, size }) => [maps * size, 2 * maps, maps * size],
  cpu({ maps, size, epsilon }, values, extremes, normalised) {
    for (let map = 0; map < maps; map++) {
      const low = extremes[2 * map];
      const range = extremes[2 * map + 1] - low;
      const divisor = Number.isFinite(Math.fround(range)) ? range + epsilon : NaN;
      for (let i = map * size; i < (map + 1) * size; i++) {
        normalised[i] = (values[i] - low) / divisor;
      }
    }
  },
});
