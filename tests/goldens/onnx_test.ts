/** The graph functions on nine exports of three nets, against PyTorch. */

import assert from "node:assert/strict";
import { readNpy } from "../../src/base/npy.ts";
import { sizeOf, type Tensor } from "../../src/base/tensor.ts";
import { isAnonymous } from "../../src/onnx/dims.ts";
import { cut } from "../../src/onnx/extract.ts";
import type { Graph } from "../../src/onnx/graph.ts";
import { linearHead } from "../../src/onnx/linear_head.ts";
import { readModel } from "../../src/onnx/model_file.ts";
import { receptiveFields } from "../../src/onnx/receptive_field.ts";
import { withScores } from "../../src/onnx/scores.ts";
import { inferShapes } from "../../src/onnx/shapes.ts";
import { simplify } from "../../src/onnx/simplify.ts";
import { defaultTargetLayer } from "../../src/classifier/target_layer.ts";
import { runNative } from "../onnx/native.ts";
import { goldenTest } from "../shared_goldens.ts";
import { assertNone } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

interface Export {
  file: string;
  target: string;
  output: string;
  output_is: "softmax" | "logits";
  logits_tensor: string;
}

const NETS = ["alexish", "resish", "mobile"];

function* exports(goldens: URL): Generator<Export & { net: string; graph: Graph; folder: URL }> {
  for (const net of NETS) {
    const folder = new URL(`cam/${net}/`, goldens);
    const listed = JSON.parse(Deno.readTextFileSync(new URL("onnx.json", folder))) as Export[];
    for (const one of listed) {
      const graph = readModel(Deno.readFileSync(new URL(one.file, folder)));
      yield { ...one, net, graph, folder };
    }
  }
}

function read(folder: URL, name: string): Tensor {
  return readNpy(Deno.readFileSync(new URL(`${name}.npy`, folder))) as Tensor;
}

goldenTest(
  "all tensors of all exports have a known shape, without what the files state",
  (goldens) => {
    for (const { file, graph, target, logits_tensor, folder } of exports(goldens)) {
      graph.stated.clear();
      const known = inferShapes(graph);
      for (const node of graph.nodes) {
        for (const value of node.outputs) {
          const shape = known.get(value)?.shape;
          assert(shape, `${file}: ${value} has shape [${shape}]`);
          assert(!shape.some(isAnonymous), `${file}: ${value} has shape [${shape}]`);
        }
      }
      assert.deepEqual(
        known.get(target)!.shape,
        ["N", ...read(folder, "act").shape.slice(1)],
        file,
      );
      assert.deepEqual(known.get(logits_tensor)!.shape, ["N", 20], file);
    }
  },
);

goldenTest(
  "trunk, then head, gives what the whole model gives, and what PyTorch gave",
  async (goldens) => {
    for (const { file, graph, target, folder, output_is } of exports(goldens)) {
      const scored = withScores(graph);
      assert.equal(scored.logits, "logits", file);
      assert.equal(scored.probabilities === "probs", output_is === "softmax", file);
      assert.deepEqual([scored.classes, scored.activation], [20, "softmax"], file);
      const { trunk, head, bypass } = cut(scored.graph, target);
      assert.deepEqual(bypass, [], file);
      const input = read(folder, "inputs");
      const whole = await runNative(graph, { input });
      const inside = await runNative(trunk, { input });
      const parts = await runNative(head, inside);
      const scores = output_is === "softmax" ? "probs" : "logits";
      assertClose(parts[scores] as Tensor, whole[scores] as Tensor, { ofLargest: 1e-6 }, file);
      assertClose(inside[target] as Tensor, read(folder, "act"), { ofLargest: 5e-6 }, file);
      assertClose(parts["logits"] as Tensor, read(folder, "logits"), { ofLargest: 5e-6 }, file);
      const probabilities = parts[scored.probabilities] as Tensor;
      assertClose(probabilities, read(folder, "probs"), { ofLargest: 5e-6 }, file);
    }
  },
);

goldenTest(
  "an export with its If and shape arithmetic simplifies to what computes the same",
  async (goldens) => {
    const arithmetic = ["If", "Shape", "Gather", "Concat", "Constant", "ConstantOfShape", "Equal"];
    for (const { file, graph, folder } of exports(goldens)) {
      const simple = simplify(graph);
      assertNone(simple.nodes, ({ op }) => arithmetic.includes(op), file);
      const input = read(folder, "inputs");
      const [before, after] = [
        await runNative(graph, { input }),
        await runNative(simple, { input }),
      ];
      for (const { name } of graph.outputs) {
        assertClose(after[name] as Tensor, before[name] as Tensor, { ofLargest: 1e-6 }, file);
      }
    }
  },
);

goldenTest(
  "linear heads are found if there is one, with weights that give the logits",
  (goldens) => {
    for (const { file, graph, target, net, folder, logits_tensor } of exports(goldens)) {
      const head = linearHead(graph, target, logits_tensor);
      if (net === "alexish") {
        assert("reason" in head, file);
        assert.match(head.reason, /neither pooling nor linear/, file);
        continue;
      }
      assert(!("reason" in head), file);
      const [act, logits] = [read(folder, "act"), read(folder, "logits")];
      const [n, channels, ...spatial] = act.shape as [number, number, number, number];
      const cells = sizeOf(spatial);
      let error = 0;
      for (let i = 0; i < n * 20; i++) {
        let sum = head.bias!.data[i % 20];
        for (let c = 0; c < channels; c++) {
          const start = (Math.floor(i / 20) * channels + c) * cells;
          const mean = act.data.subarray(start, start + cells).reduce((a, v) => a + v, 0) / cells;
          sum += head.weights.data[i % 20 * channels + c] * mean;
        }
        error = Math.max(error, Math.abs(sum - logits.data[i]));
      }
      assert(error < 2e-5, `${file}: logits off by ${error}`);
    }
  },
);

goldenTest("all exports of a net have the same receptive field at the target layer", (goldens) => {
  const expected: Record<string, unknown> = {
    // By hand, size + (k − 1)·stride a layer: 5, pool +2, conv2 +8, pool +4, conv3 to conv5 +8 each; nothing but the two
    // pools (1 and 2 pixels) and the first convolution (2) is without padding.
    alexish: { centre: 5, stride: 4, size: 43 },
    // 7, layer1 +4 +4, layer2 +4 +8, layer3 +8 +16, layer4 +16 +16; all padded evenly.
    resish: { centre: 0, stride: 8, size: 83 },
    // 3, +4 (3×3 at stride 2), +16 (5×5 at stride 4), +8 (3×3 at stride 4); all padded evenly.
    mobile: { centre: 0, stride: 8, size: 31 },
  };
  for (const { file, graph, target, net } of exports(goldens)) {
    const field = receptiveFields(graph, "input").get(target)!;
    assert.deepEqual([field.x, field.y], [expected[net], expected[net]], file);
    assert.equal(field.global, net === "mobile", file);
    if (net !== "alexish") assert.equal(defaultTargetLayer(graph, "logits"), target, file);
  }
});
