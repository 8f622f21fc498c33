import wgsl from "../../shaders/box_integral.wgsl" with { type: "text" };
import { defineKernel } from "../gpu/kernel.ts";

const WORKGROUP = 64;

/**
 * Box means as the exact integral of the bilinear interpolant, which is linear in the map with separable weights:
 * means[k] = Σ_i rows[b, i] Σ_j columns[b, j] · values[m, i, j] for pair k = (map m, box b). The weights come from
 * `boxWeights`; no full-size map exists.
 *
 * Shapes: values [maps, height, width], rows [boxes, height], columns [boxes, width], pairs [pairs, 2] as (map, box), means
 * [pairs]. A cell of weight 0 has no say, even if it is NaN; any other NaN makes the mean NaN. Pairs have to name maps and
 * boxes that are there.
 */
export const boxIntegral = defineKernel({
  name: "box_integral",
  wgsl,
  params: { maps: "u32", boxes: "u32", pairs: "u32", height: "u32", width: "u32" },
  buffers: [
    { name: "values", access: "read", type: "f32" },
    { name: "rows", access: "read", type: "f32" },
    { name: "columns", access: "read", type: "f32" },
    { name: "pairs", access: "read", type: "u32" },
    { name: "means", access: "write", type: "f32" },
  ],
  workgroup: WORKGROUP,
  groups: ({ pairs }) => pairs,
  lengths: ({ maps, boxes, pairs, height, width }) => [
    maps * height * width,
    boxes * height,
    boxes * width,
    2 * pairs,
    pairs,
  ],
  cpu(p, values, rows, columns, pairs, means) {
    const { height, width } = p;
    for (let pair = 0; pair < p.pairs; pair++) {
      const map = pairs[2 * pair];
      const box = pairs[2 * pair + 1];
      let sum = 0;
      for (let i = 0; i < height; i++) {
        const row = rows[box * height + i];
        if (row === 0) continue;
        const from = (map * height + i) * width;
        for (let j = 0; j < width; j++) {
          const weight = row * columns[box * width + j];
          if (weight !== 0) sum += weight * values[from + j];
        }
      }
      means[pair] = sum;
    }
  },
});
