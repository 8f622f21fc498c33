import wgsl from "../../shaders/min_max.wgsl" with { type: "text" };
import { defineKernel } from "../gpu/kernel.ts";
import { allPixels, axisSamples } from "./_axis.ts";

const WORKGROUP = 128;

/**
 * The least and the greatest of each map's bilinear samples at the centres of a grid of outHeight × outWidth pixels, without
 * making the grid. The samples are those of `upsample_bilinear` with the same parameters; with
 * outHeight = height, outWidth = width, scale 1 and offset −0.5 they are the map's own values.
 *
 * Between neighbouring cells' centres the interpolant is affine along x and along y, so its extremes over the samples there
 * lie at the outermost of them. It is enough to look, along each axis, at the samples on either side of each cell's
 * centre (of a cell beyond the grid, at the grid's outermost sample): 2h · 2w samples instead of H · W.
 *
 * Shapes: values [maps, height, width], extremes [maps, 2]. Scales are not 0. A map with a sample that is NaN or infinite
 * gets NaN, NaN.
 */
export const minMax = defineKernel({
  name: "min_max",
  wgsl,
  params: {
    maps: "u32",
    height: "u32",
    width: "u32",
    outHeight: "u32",
    outWidth: "u32",
    scaleY: "f32",
    offsetY: "f32",
    scaleX: "f32",
    offsetX: "f32",
  },
  buffers: [
    { name: "values", access: "read", type: "f32" },
    { name: "extremes", access: "write", type: "f32" },
  ],
  workgroup: WORKGROUP,
  groups: ({ maps }) => maps,
  lengths: ({ maps, height, width }) => [maps * height * width, 2 * maps],
  cpu(p, values, extremes) {
    const { maps, height, width } = p;
    const rows = axisSamples(
      candidates(height, p.outHeight, p.scaleY, p.offsetY),
      height,
      p.scaleY,
      p.offsetY,
    );
    const columns = axisSamples(
      candidates(width, p.outWidth, p.scaleX, p.offsetX),
      width,
      p.scaleX,
      p.offsetX,
    );
    for (let map = 0; map < maps; map++) {
      let low = Infinity;
      let high = -Infinity;
      let broken = false;
      for (let y = 0; y < rows.fraction.length; y++) {
        const top = (map * height + rows.first[y]) * width;
        const bottom = (map * height + rows.second[y]) * width;
        for (let x = 0; x < columns.fraction.length; x++) {
          const left = columns.first[x];
          const right = columns.second[x];
          const across = columns.fraction[x];
          const above = values[top + left] + across * (values[top + right] - values[top + left]);
          const below = values[bottom + left] +
            across * (values[bottom + right] - values[bottom + left]);
          const value = above + rows.fraction[y] * (below - above);
          if (!Number.isFinite(value)) broken = true;
          if (value < low) low = value;
          if (value > high) high = value;
        }
      }
      extremes[2 * map] = broken ? NaN : low;
      extremes[2 * map + 1] = broken ? NaN : high;
    }
  },
});

/** The pixels to look at on an axis; all of them where there are no more. */
function candidates(cells: number, pixels: number, scale: number, offset: number): Uint32Array {
  if (pixels <= 2 * cells) return allPixels(pixels);
  const found = new Uint32Array(2 * cells);
  for (let i = 0; i < found.length; i++) {
    const before = Math.floor((Math.floor(i / 2) - offset) / scale - 0.5);
    found[i] = Math.min(Math.max(before + i % 2, 0), pixels - 1);
  }
  return found;
}
