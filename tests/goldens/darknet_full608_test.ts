/**
 * The published 601-class network at 608×608 with weights made from a seed: the importer in its real size, against Darknet and
 * against lightnet. Takes half a minute and 2 GB.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { floats } from "../../src/base/tensor.ts";
import { decodeImage } from "../../src/image/decode.ts";
import { letterbox, letterboxDarknet } from "../../src/image/letterbox.ts";
import { importDarknet } from "../../src/importers/darknet/import.ts";
import { foldBatchNorms, type NormRule } from "../../src/onnx/fold_batch_norm.ts";
import type { Graph } from "../../src/onnx/graph.ts";
import { readModel } from "../../src/onnx/model_file.ts";
import { findCard } from "../../src/runtime/card.ts";
import { runNative } from "../onnx/native.ts";
import { goldenTest } from "../shared_goldens.ts";
import { full608Cfg, writeFull608 } from "./full608_weights.ts";
import { assertAtMost } from "../assert_that.ts";

/** Of sampled logits (INDEX.md: ONNX Runtime 4.3e-4). */
const TOLERANCE = 1e-3;
const SIDE = 608;

type Samples = readonly (readonly number[])[];

/** Largest difference of the heads from samples [flat index, logit, …]. */
async function difference(
  source: Graph,
  rule: NormRule,
  input: Float32Array,
  samples: readonly Samples[],
): Promise<number> {
  const made = await runNative(foldBatchNorms(source, rule), {
    input: floats([1, 3, SIDE, SIDE], input),
  });
  let worst = 0, count = 0;
  samples.forEach((rows, k) => {
    for (const [index, logit] of rows) {
      worst = Math.max(worst, Math.abs(Number(made[`yolo${k}`].data[index!]) - logit!));
      count++;
    }
  });
  assert(count > 300, `only ${count} samples`);
  return worst;
}

goldenTest(
  "the 601-class network gives Darknet's logits, and lightnet's under its rule",
  async (goldens) => {
    const folder = await Deno.makeTempDir();
    try {
      const weights = join(folder, "openimages.weights");
      await writeFull608(goldens, weights);
      assert.equal((await Deno.stat(weights)).size, 259229388);
      const { file, card } = await importDarknet({
        cfg: fileURLToPath(full608Cfg(goldens)),
        weights,
        names: fileURLToPath(new URL("published/openimages.names", goldens)),
        folder,
      });
      const { card: { classes } } = await findCard(card);
      assert.deepEqual([classes!.length, classes![0], classes!.at(-1)], [
        601,
        "Tortoise",
        "Helmet",
      ]);
      const graph = readModel(await Deno.readFile(file));
      const at = new URL("detector/full608/", goldens);
      const image = await decodeImage(await Deno.readFile(new URL("coffee_640x424.png", at)));

      const { heads } = JSON.parse(await Deno.readTextFile(new URL("samples.json", at)));
      const own = [0, 1, 2].map((k) => heads[`head${k}`].samples as Samples);
      const found = await difference(graph, "darknet", letterboxDarknet(image, SIDE, SIDE), own);
      assertAtMost(found, TOLERANCE, "darknet");

      const { logits } = JSON.parse(await Deno.readTextFile(new URL("emocam_dets.json", at)));
      const other = [0, 1, 2].map((k) => logits[`head${k}`] as Samples);
      const { data } = letterbox(image, SIDE, SIDE);
      const planes = Float32Array.from(
        { length: 3 * SIDE * SIDE },
        (_, i) => data[(i % (SIDE * SIDE)) * 3 + Math.floor(i / (SIDE * SIDE))] / 255,
      );
      const found2 = await difference(graph, "onnx", planes, other);
      assertAtMost(found2, TOLERANCE, "lightnet");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
