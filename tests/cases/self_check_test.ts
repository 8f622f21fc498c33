/** What a run finds out about a model by its first batch, on every backend that there is here. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { messageOf, ModelError } from "../../src/base/errors.ts";
import type { Tensor } from "../../src/base/tensor.ts";
import type { Classifier } from "../../src/classifier/classifier.ts";
import { openAtLayer } from "../../src/classifier/open_at_layer.ts";
import { readScores } from "../../src/classifier/read_scores.ts";
import { sourceOf } from "../../src/classifier/source.ts";
import { closeGpu, findGpu } from "../../src/gpu/device.ts";
import { type Graph, type GraphBuilder, int, ints } from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import type { ClassifierCard } from "../../src/runtime/card.ts";
import { networkOf } from "../../src/runtime/network.ts";
import type { Backend } from "../../src/runtime/session.ts";
import { assertAtLeast, assertIncludes } from "../assert_that.ts";
import { emocam } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { noise } from "../onnx/native.ts";
import {
  explained,
  nodeOf,
  SIDE,
  smallNet,
  subgraph,
  writeNet,
  writePictures,
} from "./small_nets.ts";

const backends: readonly Backend[] = [
  "native",
  "wasm",
  ...await findGpu() ? ["webgpu" as const] : [],
];

/** What mixes the samples of a batch in ways that no operator's axes tell. */
const MIXED: Record<string, (b: GraphBuilder, logits: string) => string> = {
  "samples in the opposite order": (b, logits) =>
    b.op("Slice", [logits, b.ints([-1]), b.ints([-1000]), b.ints([0]), b.ints([-1])]),
  "the first sample taken away": (b, logits) =>
    b.op("Sub", [logits, b.op("Slice", [logits, b.ints([0]), b.ints([1]), b.ints([0])])]),
  "the neighbour's logits": (b, logits) => {
    const from = (start: number, end: number) =>
      b.op("Slice", [logits, b.ints([start]), b.ints([end]), b.ints([0])]);
    return b.op("Reshape", [
      b.op("Concat", [from(1, 1000), from(0, 1)], { axis: int(0) }),
      b.ints([-1, 4]),
    ]);
  },
  "attention over the batch": (b, logits) => {
    const gram = b.op("MatMul", [logits, b.op("Transpose", [logits], { perm: ints([1, 0]) })]);
    return b.op("MatMul", [gram, logits]);
  },
  "the batch's sum by a product of matrices": (b, logits) => {
    const column = b.op("Transpose", [logits], { perm: ints([1, 0]) });
    const ones = b.op("Div", [logits, logits]);
    return b.op("Add", [logits, b.op("Transpose", [b.op("MatMul", [column, ones])])]);
  },
  "a running mean in the body of a Scan": (b, logits) => {
    const type = "float32", shape = [4];
    const body = subgraph(
      [
        nodeOf("Add", ["state", "row"], ["sum"]),
        nodeOf("Identity", ["sum"], ["seen"]),
      ],
      [{ name: "sum", type, shape }, { name: "seen", type, shape }],
      [{ name: "state", type, shape }, { name: "row", type, shape }],
    );
    const start = b.initializer({ type, shape, data: new Float32Array(4) });
    b.graph.nodes.push(
      nodeOf("Scan", [start, logits], ["last", "scanned"], { body, num_scan_inputs: int(1) }),
    );
    b.known.set("scanned", { type, shape: ["N", 4] });
    return "scanned";
  },
};

const CARD: ClassifierCard = {
  name: "made",
  task: "classifier",
  file: "made.onnx",
  sha256: "",
  source: "made",
  licence: "none",
  input: {
    name: "x",
    width: SIDE,
    height: SIDE,
    channels: "rgb",
    fit: "stretch",
    resize: "pillow-bicubic",
    scale: 1,
    mean: [0],
    std: [1],
  },
  output: {},
  classes: ["a", "b", "c", "d"],
  placement: "half-pixel",
};

/** Opens a classifier; `late` changes its graph when all that is seen beforehand has been seen. */
async function open(
  graph: Graph,
  backend: Backend,
  { batch = 4, late }: { batch?: number; late?: (graph: Graph) => void } = {},
): Promise<Classifier> {
  const source = sourceOf(networkOf(CARD, writeModel(graph)));
  const { scored, ...read } = readScores(source.taken.graph, CARD, batch);
  late?.(scored.graph);
  return await openAtLayer(scored, source, { backend, layer: "relu", ...read });
}

/** What the first batch says against a classifier; "" where nothing. */
async function verdict(classifier: Classifier, inputs: Tensor): Promise<string> {
  try {
    (await classifier.forward(inputs)).dispose();
    return "";
  } catch (error) {
    assert.ok(error instanceof ModelError, `${error}`);
    return messageOf(error);
  } finally {
    await classifier.dispose();
  }
}

for (const backend of backends) {
  for (const [what, end] of Object.entries(MIXED)) {
    Deno.test({
      name: `${what}: found by the first batch on ${backend}, of one sample or of many`,
      sanitizeResources: false,
      sanitizeOps: false,
      async fn() {
        for (const count of [1, 3, 4]) {
          const said = await verdict(
            await open(smallNet({ end }), backend),
            noise([count, 3, SIDE, SIDE], count),
          );
          assert.match(
            said,
            /^Cannot use model made: a sample's results depend on the other samples of its batch: the logit of \w is \S+ and \S+ (alone and among others|among different samples); .*--batch 1$/,
            `${count} samples`,
          );
        }
      },
    });
  }

  Deno.test({
    name:
      `results that depend on chance, by a node that was not seen beforehand: found on ${backend}`,
    sanitizeResources: false,
    sanitizeOps: false,
    async fn() {
      for (const batch of [1, 4]) {
        const classifier = await open(
          smallNet({ between: (b, v) => b.op("Identity", [v]) }),
          backend,
          {
            batch,
            late(graph) {
              const node = graph.nodes.find(({ inputs: [value] }) => value === "relu")!;
              node.inputs = ["noisy"];
              graph.nodes.splice(
                graph.nodes.indexOf(node),
                0,
                nodeOf("RandomUniformLike", ["relu"], ["noise"]),
                nodeOf("Add", ["relu", "noise"], ["noisy"]),
              );
            },
          },
        );
        assert.match(
          await verdict(classifier, noise([batch, 3, SIDE, SIDE])),
          /^Cannot use model made: its results depend on chance: in two runs of the same batch the logit of \w is \S+ and \S+; export/,
        );
      }
    },
  });

  Deno.test({
    name: `a network that mixes nothing passes on ${backend}, black pictures, one and several`,
    sanitizeResources: false,
    sanitizeOps: false,
    async fn() {
      for (const inputs of [noise([1, 3, SIDE, SIDE]), noise([4, 3, SIDE, SIDE])]) {
        assert.equal(await verdict(await open(smallNet(), backend), inputs), "");
      }
      const black = noise([2, 3, SIDE, SIDE]);
      black.data.fill(0);
      assert.equal(await verdict(await open(smallNet(), backend), black), "");
      assert.match(
        await verdict(
          await open(smallNet({ end: MIXED["the first sample taken away"] }), backend),
          black,
        ),
        /depend on the other samples/,
      );
    },
  });
}

Deno.test("with one sample in a batch there is nothing to mix", async () => {
  const net = smallNet({ end: MIXED["attention over the batch"] });
  assert.equal(
    await verdict(await open(net, "native", { batch: 1 }), noise([1, 3, SIDE, SIDE])),
    "",
  );
});

Deno.test("analyze, explain and check stop with status 2 and one line before anything is written of the images", async () => {
  await withFolder(async (folder) => {
    const corpus = await writePictures(folder, 2);
    const model = await writeNet(
      folder,
      smallNet({ end: MIXED["the first sample taken away"] }),
    );
    const common = ["--classifier", model, "--backend", "native", "--detector"];
    const boxes = join(folder, "boxes.csv");
    const out = join(folder, "out");
    for (const command of ["analyze", "explain", "check"]) {
      const done = await emocam(command, corpus, ...common, boxes, "--out", out);
      assert.equal(done.status, 2, `${command}: ${done.err}`);
      const said = done.err.split("\n").filter((line) => line.startsWith("Cannot"));
      assert.equal(said.length, 1, done.err);
      assertIncludes(said[0]!, "a sample's results depend on the other samples of its batch");
    }
  });
});

Deno.test("scores that were taken for logits and sum to 1 or 100 in every sample are refused, with what to do", async () => {
  // Softmax written out, which no operator tells.
  const softmax = (factor: number) => (b: GraphBuilder, logits: string) => {
    const e = b.op("Exp", [logits]);
    const sum = b.op("ReduceSum", [e, b.ints([1])], { keepdims: int(1) });
    return b.op("Mul", [b.op("Div", [e, sum]), b.scalar(factor)]);
  };
  await withFolder(async (folder) => {
    const inputs = noise([3, 3, SIDE, SIDE], 5);
    for (const [factor, what] of [[1, "probabilities"], [100, "percentages"]] as const) {
      const model = await writeNet(folder, smallNet({ end: softmax(factor) }));
      const done = await explained(folder, model, inputs);
      assert.equal(done.status, 2);
      assert.match(
        done.err,
        new RegExp(`none is negative and those of each sample sum to ${factor}, as ${what} do`),
      );
    }
    // A softmax that can be seen: the scores are those without the factor.
    const plain = await explained(folder, await writeNet(folder, smallNet()), inputs);
    for (const factor of [100, 0.5]) {
      const model = await writeNet(
        folder,
        smallNet({
          end: (b, logits) =>
            b.op("Mul", [b.scalar(factor), b.op("Softmax", [logits], { axis: int(1) })]),
        }),
      );
      const done = await explained(folder, model, inputs);
      assert.deepEqual(done.probabilities, plain.probabilities);
      assert.deepEqual(done.maps, plain.maps);
      assertIncludes(done.err, `is a Softmax times ${factor}; probabilities are taken before`);
    }
    assertAtLeast(Math.max(...plain.probabilities.flat()), 0.25);
  });
});

Deno.test({
  name: "the GPU is given back",
  ignore: !backends.includes("webgpu"),
  fn: closeGpu,
  sanitizeResources: false,
});
