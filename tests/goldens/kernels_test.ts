/** The kernels against the full reference set: OpenCV's resize, and the final maps of pytorch-grad-cam and torchcam. */

import assert from "node:assert/strict";
import { readNpy } from "../../src/base/npy.ts";
import type { Tensor } from "../../src/base/tensor.ts";
import { halfPixelPlacement } from "../../src/image/geometry.ts";
import { finalMaps, type MapBatch, rawMaps } from "../../src/kernels/box_scores.ts";
import { minMax } from "../../src/kernels/min_max.ts";
import { normalise } from "../../src/kernels/normalise.ts";
import { upsampleBilinear } from "../../src/kernels/upsample_bilinear.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { distance, halfPixel, hasGpu, runKernel } from "../kernels/support.ts";
import { assertClose } from "../assert_close.ts";
import { goldenTest } from "../shared_goldens.ts";
import { assertAtMost } from "../assert_that.ts";

const KINDS = hasGpu ? ["cpu", "gpu"] as const : ["cpu"] as const;
const NETS = ["alexish", "resish", "mobile"];

async function read(url: URL): Promise<Tensor> {
  return readNpy(await Deno.readFile(url)) as Tensor;
}

for (const kind of KINDS) {
  goldenTest(`upsample_bilinear equals every cv2.resize case (${kind})`, async (goldens) => {
    const compute = await createCompute(kind);
    for (let i = 0; i < 8; i++) {
      const input = await read(new URL(`cam/preproc/cv2_${i}_in.npy`, goldens));
      const output = await read(new URL(`cam/preproc/cv2_${i}_out.npy`, goldens));
      const p = halfPixel(1, input.shape as [number, number], output.shape as [number, number]);
      const samples = await runKernel(compute, upsampleBilinear, p, [input.data]);
      // Case 4 has cell coordinates to 226, of which float32 resolves 1.5e-5.
      assertClose(samples, output.data, kind === "cpu" ? 2e-7 : i === 4 ? 2e-5 : 4e-6);
    }
  });

  for (const net of NETS) {
    goldenTest(`finalMaps equals pytorch-grad-cam's maps of ${net} (${kind})`, async (goldens) => {
      const compute = await createCompute(kind);
      const folder = new URL(`cam/${net}/pgc/`, goldens);
      let checked = 0;
      for (const { name } of Deno.readDirSync(folder)) {
        const stem = /^(.*)_map\.npy$/.exec(name)?.[1];
        // FullGrad, smoothing and several layers make their final maps in another way.
        if (!stem || /smooth|multilayer|fullgrad/.test(stem)) continue;
        const map = await read(new URL(name, folder));
        const raw = await read(new URL(`${stem}_raw.npy`, folder));
        const [height, width] = map.shape.slice(-2);
        const [h, w] = raw.shape.slice(-2);
        const maps = map.data.length / (height * width);
        const ready = raw.data.subarray(0, maps * h * w);
        const batch: MapBatch = { maps, height: h, width: w, rectify: true, from: { ready } };
        const placement = halfPixelPlacement(w, h, width, height);
        const final = await finalMaps(compute, batch, { width, height, placement });
        const found = distance(final, map.data);
        assertAtMost(found, 2e-6, `${stem}`);
        checked++;
      }
      assert.ok(checked >= 10, `only ${checked} files`);
    });

    goldenTest(
      `rawMaps equals Grad-CAM's maps from A and weights of ${net} (${kind})`,
      async (goldens) => {
        const compute = await createCompute(kind);
        const activation = await read(new URL(`cam/${net}/act.npy`, goldens));
        const weights = await read(new URL(`cam/${net}/pgc/gradcam_logit_weights.npy`, goldens));
        const raw = await read(new URL(`cam/${net}/pgc/gradcam_logit_raw.npy`, goldens));
        const [images, channels, height, width] = activation.shape;
        const perImage = weights.shape[1];
        const batch: MapBatch = {
          maps: images * perImage,
          height,
          width,
          rectify: false,
          from: { activation: activation.data, channels, weights: weights.data, perImage },
        };
        const range = Math.max(...raw.data) - Math.min(...raw.data);
        assertClose(await rawMaps(compute, batch), raw.data, 1e-6 * range);
      },
    );

    goldenTest(`normalise equals torchcam's normalisation of ${net} (${kind})`, async (goldens) => {
      const compute = await createCompute(kind);
      for (const stem of ["gradcam_logit", "gradcam_prob", "xgradcam_logit"]) {
        const raw = await read(new URL(`cam/${net}/torchcam/${stem}_raw.npy`, goldens));
        const norm = await read(new URL(`cam/${net}/torchcam/${stem}_norm.npy`, goldens));
        const [height, width] = raw.shape.slice(-2);
        const maps = raw.data.length / (height * width);
        const p = { ...halfPixel(maps, [height, width], [height, width]) };
        const extremes = await runKernel(compute, minMax, p, [raw.data]);
        const params = { maps, size: height * width, epsilon: 1e-8 };
        assertClose(
          await runKernel(compute, normalise, params, [raw.data, extremes]),
          norm.data,
          1e-6,
        );
      }
    });
  }
}
