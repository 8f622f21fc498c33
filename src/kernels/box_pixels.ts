import wgsl from "../../shaders/box_pixels.wgsl" with { type: "text" };
import { defineKernel } from "../gpu/kernel.ts";

const WORKGROUP = 128;

/**
 * Box means over the integer pixels of a full-size map, as `heat[y0:y1, x0:x1].mean()` in NumPy except that a negative corner
 * is cut to 0 and does not count from the far end: means[k] is the mean of values[m, y, x] over x0 ≤ x < x1 and
 * y0 ≤ y < y1 within the map, for pair k = (map m, box b).
 *
 * Shapes: values [maps, height, width], boxes [boxes, 4] as (x0, y0, x1, y1) with exclusive ends, pairs [pairs, 2] as (map,
 * box), means [pairs]. A box without a pixel in the map gives NaN, a NaN in it too. Pairs have to name maps and boxes
 * that are there.
 */
export const boxPixels = defineKernel({
  name: "box_pixels",
  wgsl,
  params: { maps: "u32", boxes: "u32", pairs: "u32", height: "u32", width: "u32" },
  buffers: [
    { name: "values", access: "read", type: "f32" },
    { name: "boxes", access: "read", type: "i32" },
    { name: "pairs", access: "read", type: "u32" },
    { name: "means", access: "write", type: "f32" },
  ],
  workgroup: WORKGROUP,
  groups: ({ pairs }) => pairs,
  lengths: (p) => [p.maps * p.height * p.width, 4 * p.boxes, 2 * p.pairs, p.pairs],
  cpu(p, values, boxes, pairs, means) {
    const { height, width } = p;
    for (let pair = 0; pair < p.pairs; pair++) {
      const map = pairs[2 * pair];
      const box = pairs[2 * pair + 1];
      const x0 = Math.max(boxes[4 * box], 0);
      const y0 = Math.max(boxes[4 * box + 1], 0);
      const x1 = Math.min(boxes[4 * box + 2], width);
      const y1 = Math.min(boxes[4 * box + 3], height);
      const count = Math.max(x1 - x0, 0) * Math.max(y1 - y0, 0);
      let sum = 0;
      for (let y = y0; y < y1; y++) {
        const from = (map * height + y) * width;
        for (let x = x0; x < x1; x++) sum += values[from + x];
      }
      means[pair] = count === 0 ? NaN : sum / count;
    }
  },
});
