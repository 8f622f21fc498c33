import wgsl from "../../shaders/channel_sum.wgsl" with { type: "text" };
import { defineKernel } from "../gpu/kernel.ts";

const WORKGROUP = 64;

/**
 * Weighted sums over channels, the last step of every CAM that gives channel weights:
 * sums[m, i] = Σ_c weights[m, c] · activation[⌊m / perImage⌋, c, i], then max(·, 0) if `rectify` is 1.
 *
 * Source: Selvaraju et al., Grad-CAM (ICCV 2017), equation 2.
 *
 * Shapes: activation [maps / perImage, channels, cells], weights [maps, channels], sums [maps, cells]; `cells` is h·w, and
 * `perImage` maps in a row share an image's activation. NaN stays NaN, also through the ReLU. No channels give 0.
 */
export const channelSum = defineKernel({
  name: "channel_sum",
  wgsl,
  params: { maps: "u32", perImage: "u32", channels: "u32", cells: "u32", rectify: "u32" },
  buffers: [
    { name: "activation", access: "read", type: "f32" },
    { name: "weights", access: "read", type: "f32" },
    { name: "sums", access: "write", type: "f32" },
  ],
  workgroup: WORKGROUP,
  groups: ({ maps, cells }) => Math.ceil(maps * cells / WORKGROUP),
  lengths: ({ maps, perImage, channels, cells }) => [
    Math.ceil(maps / perImage) * channels * cells,
    maps * channels,
    maps * cells,
  ],
  cpu({ maps, perImage, channels, cells, rectify }, activation, weights, sums) {
    // The shader's invocations run side by side over the cells, so here the cells are the inner loop.
    const total = new Float64Array(cells);
    for (let map = 0; map < maps; map++) {
      const image = Math.floor(map / perImage);
      total.fill(0);
      for (let c = 0; c < channels; c++) {
        const weight = weights[map * channels + c];
        const from = (image * channels + c) * cells;
        for (let cell = 0; cell < cells; cell++) total[cell] += weight * activation[from + cell];
      }
      for (let cell = 0; cell < cells; cell++) {
        sums[map * cells + cell] = rectify !== 0 && total[cell] < 0 ? 0 : total[cell];
      }
    }
  },
});
