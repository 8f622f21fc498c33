import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readNpy } from "../../src/base/npy.ts";
import type { Tensor } from "../../src/base/tensor.ts";
import { emocam } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { readFloats, readNumbers } from "../gradient_goldens.ts";
import { goldenTest } from "../shared_goldens.ts";
import { assertLess } from "../assert_that.ts";

const FILES = {
  alexish: ["alexish.onnx", "alexish_dynamo.onnx", "alexish_lrnop.onnx"],
  resish: ["resish.onnx", "resish_bn.onnx", "resish_dynamo.onnx"],
  mobile: ["mobile.onnx", "mobile_bn.onnx", "mobile_dynamo.onnx"],
} as const;

/** Runs `explain` on a network's four inputs, for all classes. */
async function explain(goldens: URL, net: string, file: string, maps: string, ...more: string[]) {
  const folder = new URL(`cam/${net}/`, goldens);
  const { target } = JSON.parse(await Deno.readTextFile(new URL("meta.json", folder)));
  const { status, out, err } = await emocam(
    "explain",
    fileURLToPath(new URL("inputs.npy", folder)),
    ...["--classifier", fileURLToPath(new URL(file, folder)), "--layer", target],
    ...["--class", "all", "--maps", maps, "--json", ...more],
  );
  assert.equal(status, 0, err);
  const logits = JSON.parse(out).results.map((result: { scores: { logit: number }[] }) =>
    result.scores.map(({ logit }) => logit)
  ) as number[][];
  const read = async (name: string) =>
    readNpy(await Deno.readFile(join(maps, `${name}.npy`))) as Tensor;
  return { folder, logits, read };
}

/**
 * Largest difference to reference maps [images, 2 classes, …], each relative to the range of the expected map, of maps
 * [images, all classes, …].
 */
function mapDifference(found: Tensor, expected: Tensor, classes: readonly number[]): number {
  const [images, slots, ...extents] = expected.shape as [number, number, ...number[]];
  assert.deepEqual([found.shape[0], ...found.shape.slice(2)], [images, ...extents]);
  const size = extents.reduce((a, b) => a * b, 1);
  let largest = 0;
  for (let i = 0; i < images * slots; i++) {
    const map = expected.data.subarray(i * size, (i + 1) * size);
    const from = (Math.floor(i / slots) * found.shape[1] + classes[i]) * size;
    const range = Math.max(...map) - Math.min(...map);
    map.forEach((value, j) => {
      const difference = Math.abs(found.data[from + j] - value) / range;
      if (!(difference <= largest)) largest = difference; // NaN has to come out
    });
  }
  return largest;
}

for (const [net, files] of Object.entries(FILES)) {
  goldenTest(
    `explain gives the Grad-CAM of pytorch-grad-cam for every export of ${net}, raw and final, of logit and probability`,
    (goldens) =>
      withFolder(async (maps) => {
        for (const file of files) {
          for (const [target, short] of [["logit", "logit"], ["probability", "prob"]] as const) {
            const { folder, read } = await explain(goldens, net, file, maps, "--target", target);
            const classes = await readNumbers(new URL("classes.npy", folder));
            const expected = (kind: string) =>
              readFloats(new URL(`pgc/gradcam_${short}_${kind}.npy`, folder));
            const raw = mapDifference(await read("grad-cam"), await expected("raw"), classes);
            const final = mapDifference(
              await read("grad-cam.final"),
              await expected("map"),
              classes,
            );
            assert.ok(raw < 1e-4, `${file} ${target}: raw ${raw}, final ${final}`);
            assert.ok(final < 1e-4, `${file} ${target}: raw ${raw}, final ${final}`);
            if (Deno.env.get("EMOCAM_REPORT")) console.log(file, target, raw, final);
          }
        }
      }),
  );
}

for (const net of ["resish", "mobile"] as const) {
  goldenTest(
    `explain gives the CAM of torchcam for every export of ${net}`,
    (goldens) =>
      withFolder(async (maps) => {
        for (const file of FILES[net]) {
          const { folder, read } = await explain(goldens, net, file, maps, "--methods", "cam");
          const classes = await readNumbers(new URL("classes.npy", folder));
          const expected = await readFloats(new URL("torchcam/cam_logit_raw.npy", folder));
          const difference = mapDifference(await read("cam"), expected, classes);
          assertLess(difference, 1e-4, file);
          if (Deno.env.get("EMOCAM_REPORT")) console.log(file, "cam", difference);
        }
      }),
  );
}

goldenTest(
  "the map of the margin is the difference of the maps of two logits",
  (goldens) =>
    withFolder(async (maps) => {
      for (const net of ["alexish", "resish", "mobile"]) {
        const args = [goldens, net, `${net}.onnx`, maps] as const;
        const { logits, read } = await explain(...args);
        const logit = await read("grad-cam");
        const { read: readMargin } = await explain(...args, "--target", "margin");
        const margin = await readMargin("grad-cam");
        const [images, count, h, w] = logit.shape as [number, number, number, number];
        for (let i = 0; i < images; i++) {
          for (let k = 0; k < count; k++) {
            const own = logits[i];
            const rival = own.indexOf(Math.max(...own.filter((_, other) => other !== k)));
            const at = (j: number) => (i * count + j) * h * w;
            let difference = 0, scale = 0;
            for (let p = 0; p < h * w; p++) {
              const expected = logit.data[at(k) + p] - logit.data[at(rival) + p];
              scale = Math.max(scale, Math.abs(logit.data[at(k) + p]), Math.abs(expected));
              difference = Math.max(difference, Math.abs(margin.data[at(k) + p] - expected));
            }
            assertLess(difference, 1e-5 * scale, `${net} image ${i} class ${k}`);
          }
        }
      }
    }),
);
