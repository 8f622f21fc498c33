/** The Darknet importer on all shared networks, against Darknet's and lightnet's own outputs. */

import assert from "node:assert/strict";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { ModelError, UsageError } from "../../src/base/errors.ts";
import { readNpy } from "../../src/base/npy.ts";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import { parseCfg } from "../../src/importers/darknet/cfg.ts";
import { importDarknet } from "../../src/importers/darknet/import.ts";
import { weightCounts } from "../../src/importers/darknet/layer.ts";
import { readNetwork } from "../../src/importers/darknet/network.ts";
import { foldBatchNorms } from "../../src/onnx/fold_batch_norm.ts";
import type { Graph } from "../../src/onnx/graph.ts";
import { readModel } from "../../src/onnx/model_file.ts";
import { inferShapes } from "../../src/onnx/shapes.ts";
import { runNative } from "../onnx/native.ts";
import { goldenTest } from "../shared_goldens.ts";
import { assertAtMost, assertNone } from "../assert_that.ts";

const NETS = ["mini3", "odd", "tiny", "wide"];
const PHOTOS = ["astronaut", "coffee", "hopper"];
/** Of logits; Darknet, ONNX Runtime and PyTorch sum in different orders (INDEX.md: up to 7.1e-5). */
const TOLERANCE = 1e-4;

async function imported(
  cfg: URL,
  weights: URL,
): Promise<{ graph: Graph; notices: readonly string[] }> {
  const folder = await Deno.makeTempDir();
  try {
    const made = await importDarknet({
      cfg: fileURLToPath(cfg),
      weights: fileURLToPath(weights),
      folder,
    });
    return { graph: readModel(await Deno.readFile(made.file)), notices: made.notices };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function read(url: URL): Promise<Tensor> {
  return readNpy(await Deno.readFile(url)) as Tensor;
}

/** Largest difference of all heads from the goldens of one photo. */
async function difference(graph: Graph, folder: URL, prefix: string): Promise<number> {
  const { shape, data } = await read(new URL(`${prefix}input.npy`, folder));
  const made = await runNative(graph, { input: floats([1, ...shape], data) });
  let worst = 0;
  for (const [k, { name }] of graph.outputs.entries()) {
    assert.equal(name, `yolo${k}`);
    const expected = await read(new URL(`${prefix}logits${k}.npy`, folder));
    assert.deepEqual(made[name].shape, [1, ...expected.shape]);
    expected.data.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - Number(made[name].data[i])));
    });
  }
  return worst;
}

goldenTest(
  "every head of every network has Darknet's logits, for both letterboxes of every photo",
  async (goldens) => {
    const detector = new URL("detector/", goldens);
    for (const net of NETS) {
      const { graph, notices } = await imported(
        new URL(`cfg/${net}.cfg`, detector),
        new URL(`weights/${net}.weights`, detector),
      );
      assert.equal(notices.length, 1, notices.join("\n"));
      const darknet = foldBatchNorms(graph, "darknet"), onnx = foldBatchNorms(graph, "onnx");
      for (const folded of [darknet, onnx]) {
        assertNone(folded.nodes, ({ op }) => op === "BatchNormalization");
      }
      for (const photo of PHOTOS) {
        const folder = new URL(`golden/${net}/${photo}/`, detector);
        // The small networks' emocam_logits were made with Darknet's epsilon too; lightnet's own are in full608.
        for (const prefix of ["", "emocam_"]) {
          const found = await difference(darknet, folder, prefix);
          assertAtMost(found, TOLERANCE, `${net} ${photo} ${prefix}`);
          // The other epsilon is another network: the goldens tell them apart.
          assert(await difference(onnx, folder, prefix) > 10 * TOLERANCE, `${net} ${photo}`);
        }
      }
    }
  },
);

goldenTest("layer sizes are Darknet's in all networks", async (goldens) => {
  const detector = new URL("detector/", goldens);
  for (const net of NETS) {
    const { layers } = readNetwork(
      parseCfg(await Deno.readTextFile(new URL(`cfg/${net}.cfg`, detector)), net),
      net,
    );
    const listed = JSON.parse(
      await Deno.readTextFile(new URL(`golden/${net}/coffee/layers.json`, detector)),
    );
    const { graph } = await imported(
      new URL(`cfg/${net}.cfg`, detector),
      new URL(`weights/${net}.weights`, detector),
    );
    const known = inferShapes(graph);
    assert.equal(layers.length, listed.layers.length);
    layers.forEach(({ output, index, operation }, i) => {
      const { channels, height, width } = output;
      assert.deepEqual([channels, height, width], listed.layers[i].shape, `${net} layer ${i}`);
      const value = known.get(`layer${index}`);
      if (operation.kind !== "yolo" && value) {
        assert.deepEqual(value.shape, ["N", channels, height, width]);
      }
    });
  }
});

goldenTest(
  "bad cfg and weights are refused with one line, oddly written ones give Darknet's logits",
  async (goldens) => {
    const bad = new URL("detector/badmodels/", goldens);
    const cases = JSON.parse(await Deno.readTextFile(new URL("index.json", bad))) as Record<
      string,
      { cfg: string; weights: string; must: string }
    >;
    let refused = 0, accepted = 0;
    for (const [name, { cfg, weights, must }] of Object.entries(cases)) {
      const run = () => imported(new URL(cfg, bad), new URL(weights, bad));
      if (/^(VALID|accept)/.test(must) || name === "transposed_header") {
        const { graph } = await run();
        const folded = foldBatchNorms(graph, "darknet");
        const photo = new URL("../golden/tiny/coffee/", bad);
        assertAtMost(await difference(folded, photo, ""), TOLERANCE, name);
        accepted++;
        continue;
      }
      await assert.rejects(run(), (error: Error) => {
        assert(
          error instanceof ModelError || error instanceof UsageError,
          `${name}: ${error.stack}`,
        );
        assert.match(error.message, /^Cannot [^\n]+$/);
        return true;
      });
      refused++;
    }
    assert.deepEqual([refused, accepted], [22, 5]);
  },
);

goldenTest(
  "the published networks need weights files of exactly the known sizes",
  async (goldens) => {
    const sizes = {
      "yolov3-openimages": 259229388,
      "yolov3": 248007048,
      "yolov3-tiny": 35434956,
      "yolov3-spp": 252209544,
    };
    for (const [name, bytes] of Object.entries(sizes)) {
      const url = new URL(`published/${name}.cfg`, goldens);
      const { layers } = readNetwork(parseCfg(await Deno.readTextFile(url), basename(name)), name);
      const total = layers.reduce((sum, layer) => sum + (weightCounts(layer)?.total ?? 0), 0);
      assert.equal(20 + 4 * total, bytes, name);
    }
  },
);
