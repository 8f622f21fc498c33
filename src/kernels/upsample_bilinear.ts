import wgsl from "../../shaders/upsample_bilinear.wgsl" with { type: "text" };
import { defineKernel } from "../gpu/kernel.ts";
import { allPixels, axisSamples } from "./_axis.ts";

const WORKGROUP = 64;

/**
 * Bilinear samples of each map at the centres of a grid of outHeight × outWidth pixels. Pixel x lies at cell coordinate
 * `scaleX · (x + 0.5) + offsetX`, where cell i's centre is i; beyond the outermost centres the edge continues. With
 * scale = width / outWidth and offset = −0.5 this is `cv2.resize(…, INTER_LINEAR)` and PyTorch's
 * `interpolate(mode="bilinear", align_corners=False)`: no antialiasing where the grid is coarser than the map.
 *
 * Shapes: values [maps, height, width], samples [maps, outHeight, outWidth]. A sample between cells of which one is NaN
 * is NaN.
 */
export const upsampleBilinear = defineKernel({
  name: "upsample_bilinear",
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
    { name: "samples", access: "write", type: "f32" },
  ],
  workgroup: WORKGROUP,
  groups: ({ maps, outHeight, outWidth }) => Math.ceil(maps * outHeight * outWidth / WORKGROUP),
  lengths: (p) => [p.maps * p.height * p.width, p.maps * p.outHeight * p.outWidth],
  cpu(p, values, samples) {
    const { maps, height, width, outHeight, outWidth } = p;
    const rows = axisSamples(allPixels(outHeight), height, p.scaleY, p.offsetY);
    const columns = axisSamples(allPixels(outWidth), width, p.scaleX, p.offsetX);
    for (let map = 0; map < maps; map++) {
      for (let y = 0; y < outHeight; y++) {
        const top = (map * height + rows.first[y]) * width;
        const bottom = (map * height + rows.second[y]) * width;
        const down = rows.fraction[y];
        const out = (map * outHeight + y) * outWidth;
        for (let x = 0; x < outWidth; x++) {
          const left = columns.first[x];
          const right = columns.second[x];
          const across = columns.fraction[x];
          const above = values[top + left] + across * (values[top + right] - values[top + left]);
          const below = values[bottom + left] +
            across * (values[bottom + right] - values[bottom + left]);
          samples[out + x] = above + down * (below - above);
        }
      }
    }
  },
});
