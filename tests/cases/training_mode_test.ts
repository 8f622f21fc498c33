/**
 * Networks whose results depend on chance, or on the other samples of a batch.
 *
 * The oracle of Dropout and BatchNormalization is the network that has none, or has it in inference mode.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { floats, int64s } from "../../src/base/tensor.ts";
import { float, type Graph, type GraphBuilder, int, type Node } from "../../src/onnx/graph.ts";
import { withScores } from "../../src/onnx/scores.ts";
import { forInference } from "../../src/onnx/inference.ts";
import { assertExcludes, assertIncludes } from "../assert_that.ts";
import { emocam, tablesOf } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { noise, put } from "../onnx/native.ts";
import {
  explained,
  nodeOf,
  smallNet,
  subgraph,
  truth,
  writeNet,
  writePictures,
} from "./small_nets.ts";

const INPUTS = noise([3, 3, 16, 16], 5);

const dropout = (b: GraphBuilder, value: string, ...further: string[]) =>
  put(b, "Dropout", [value, ...further], {}, "drop");
const half = (b: GraphBuilder) => b.initializer(floats([], [0.5]), "ratio");

/** Ways to have Dropout in training mode: each gives what it gives without. */
const DROPOUTS: Record<string, (b: GraphBuilder, value: string) => string> = {
  "a constant true": (b, value) =>
    dropout(b, value, half(b), b.initializer(truth(true), "training")),
  "a Constant node": (b, value) => {
    put(b, "Constant", [], { value: { kind: "tensor", value: truth(true) } }, "training");
    return dropout(b, value, half(b), "training");
  },
  "an input of the model": (b, value) => {
    b.graph.inputs.push({ name: "training", type: "bool", shape: [] });
    b.known.set("training", { type: "bool", shape: [] });
    return dropout(b, value, half(b), "training");
  },
  "computed from the image": (b, value) => {
    const greatest = b.op("ReduceMax", ["x"], { keepdims: int(0) });
    return dropout(b, value, half(b), b.op("Less", [greatest, b.scalar(1e9)]));
  },
  "in both branches of an If": (b, value) => {
    b.initializer(truth(true), "training");
    half(b);
    const less = b.op("Less", [b.op("ReduceMax", ["w"], { keepdims: int(0) }), b.scalar(0)]);
    const branch = (name: string) =>
      subgraph([{ ...nodeOf("Dropout", [value, "ratio", "training"], [name]), name }], [
        { name, type: "float32", shape: ["N", 6, 16, 16] },
      ]);
    return put(b, "If", [less], { then_branch: branch("a"), else_branch: branch("b") }, "chosen");
  },
};

for (const [how, between] of Object.entries(DROPOUTS)) {
  Deno.test(`Dropout in training mode, ${how}: the scores of inference, with a notice`, async () => {
    await withFolder(async (folder) => {
      const plain = await explained(folder, await writeNet(folder, smallNet()), INPUTS);
      const inside = how.includes("If");
      // No gradient goes through an If.
      const more = inside ? ["--methods", "eigen-cam"] : [];
      const model = await writeNet(folder, smallNet({ between }));
      const dropped = await explained(folder, model, INPUTS, ...more);
      assert.equal(dropped.status, 0, dropped.err);
      assert.deepEqual(dropped.probabilities, plain.probabilities);
      assert.match(dropped.err, /^note: .*Dropout.* in training mode; evaluated as in inference/m);
      if (!inside) assert.deepEqual(dropped.maps, plain.maps);
    });
  });
}

Deno.test("Dropout in inference mode is not spoken of", () => {
  const off = smallNet({
    between: (b, value) => dropout(b, value, half(b), b.initializer(truth(false), "training")),
  });
  assert.deepEqual(forInference(off), { graph: off, notices: [] });
  const negated = smallNet({
    between: (b, value) =>
      dropout(b, value, half(b), b.op("Not", [b.initializer(truth(true), "evaluating")])),
  });
  assert.deepEqual(forInference(negated).notices, []);
  const without = smallNet({ between: (b, value) => dropout(b, value) });
  assert.deepEqual(forInference(without), { graph: without, notices: [] });
});

Deno.test("the same corpus by a network with Dropout in training mode gives the same tables, and the notice is in run.json and report", async () => {
  await withFolder(async (folder) => {
    const corpus = await writePictures(folder, 3);
    const model = await writeNet(folder, smallNet({ between: DROPOUTS["a constant true"] }));
    const tables = [];
    for (const run of ["a", "b"]) {
      const out = join(folder, run);
      const done = await emocam(
        ...["analyze", corpus, "--classifier", model, "--backend", "native", "--out", out],
        ...["--detector", join(folder, "boxes.csv")],
      );
      assert.equal(done.status, 0, done.err);
      assertIncludes(done.err + done.out, 'node "drop" (Dropout) is in training mode');
      const { notices } = JSON.parse(await Deno.readTextFile(join(out, "run.json")));
      assert.match(notices.join("\n"), /Dropout.*training mode/);
      assertIncludes(await Deno.readTextFile(join(out, "report.html")), "is in training mode");
      tables.push(await tablesOf(out));
    }
    assert.deepEqual(tables[0], tables[1]);
  });
});

/** A BatchNormalization over the six channels. */
function norm(
  b: GraphBuilder,
  value: string,
  attributes: Node["attributes"],
  outputs: readonly string[] = ["normed"],
): string {
  const vector = (name: string, values: readonly number[]) =>
    b.initializer(floats([6], values), name);
  b.graph.nodes.push(nodeOf(
    "BatchNormalization",
    [
      value,
      vector("gain", [1, 2, 1, 0.5, 1, 3]),
      vector("shift", [0, 1, 0, -1, 0, 0]),
      vector("mean", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
      vector("variance", [1, 2, 0.5, 1, 4, 1]),
    ],
    outputs,
    attributes,
  ));
  b.known.set("normed", { type: "float32", shape: ["N", 6, 16, 16] });
  return "normed";
}

Deno.test("BatchNormalization in training mode: the scores of inference, with a notice", async () => {
  const plain = smallNet({ between: (b, value) => norm(b, value, {}) });
  const flagged = smallNet({
    opset: 17,
    between: (b, value) =>
      norm(b, value, { training_mode: int(1) }, ["normed", "new mean", "new variance"]),
  });
  // Before operator set 14 further outputs say so.
  const old = smallNet({
    opset: 11,
    between: (b, value) =>
      norm(b, value, {}, ["normed", "new mean", "new variance", "saved mean", "saved variance"]),
  });
  const tested = smallNet({ between: (b, value) => norm(b, value, { is_test: int(0) }) });
  await withFolder(async (folder) => {
    const right = await explained(folder, await writeNet(folder, plain), INPUTS);
    assertExcludes(right.err, "training mode");
    for (const net of [flagged, old, tested]) {
      const done = await explained(folder, await writeNet(folder, net), INPUTS);
      assert.equal(done.status, 0, done.err);
      assert.deepEqual(done.probabilities, right.probabilities);
      assert.deepEqual(done.maps, right.maps);
      assert.match(done.err, /^note: .*BatchNormalization.* with the stored mean and variance$/m);
    }
  });
});

Deno.test("weights that a BatchNormalization standardises are left as they are: they do not depend on the batch", () => {
  const net = smallNet({
    between: (b, value) => {
      const weights = b.initializer(noise([6, 6, 1, 1], 7), "raw");
      norm(b, weights, { training_mode: int(1) });
      return b.op("Conv", [value, "normed"]);
    },
  });
  assert.deepEqual(forInference(net), { graph: net, notices: [] });
});

/** What is refused, and by which words. */
const REFUSED: Record<string, { net: () => Graph; says: RegExp }> = {
  "statistics of the batch that another node reads": {
    net: () =>
      smallNet({
        between: (b, value) => {
          norm(b, value, { training_mode: int(1) }, ["normed", "new mean", "new variance"]);
          b.known.set("new mean", { type: "float32", shape: [6] });
          const mean = b.op("Reshape", ["new mean", b.ints([1, 6, 1, 1])]);
          return b.op("Sub", ["normed", mean]);
        },
      }),
    says: /\(BatchNormalization\) is in training mode, and node .* reads its statistics/,
  },
  "an instance normalization written as one of a batch": {
    net: () =>
      smallNet({
        between: (b, value) => {
          const wide = b.op("Reshape", [value, b.ints([1, 6, -1, 16])]);
          norm(b, wide, { training_mode: int(1) });
          return b.op("Reshape", ["normed", b.ints([-1, 6, 16, 16])]);
        },
      }),
    says: /on a tensor of shape \[1, 6, .*whose first axis is not the batch/,
  },
  ...Object.fromEntries(
    ["RandomNormalLike", "RandomUniformLike", "Bernoulli"].map((op) => [`noise by ${op}`, {
      net: () =>
        smallNet({
          between: (b, value) =>
            b.op("Mul", [value, put(b, op, [b.op("Sigmoid", [value])], {}, "noise")]),
        }),
      says: new RegExp(`node "noise" \\(${op}\\) draws random numbers`),
    }]),
  ),
  ...Object.fromEntries(
    ["RandomNormal", "RandomUniform"].map((op) => [`noise by ${op}, with a seed`, {
      net: () =>
        smallNet({
          end: (b, value) => {
            const shape = { kind: "ints", value: [1, 4] } as const;
            b.graph.nodes.push(nodeOf(op, [], ["noise"], { shape, seed: float(1) }));
            b.known.set("noise", { type: "float32", shape: [1, 4] });
            return b.op("Add", [value, "noise"]);
          },
        }),
      says: new RegExp(`\\(${op}\\) draws random numbers`),
    }]),
  ),
  "a sample of classes by Multinomial": {
    net: () =>
      smallNet({
        end: (b, value) => {
          const drawn = put(b, "Multinomial", [value], { sample_size: int(4) }, "drawn");
          b.known.set("drawn", { type: "int32", shape: ["N", 4] });
          return b.op("Add", [value, b.op("Cast", [drawn], { to: int(1) })]);
        },
      }),
    says: /node "drawn" \(Multinomial\) draws random numbers/,
  },
  "noise in the body of a Loop": {
    net: () =>
      smallNet({
        between: (b, value) => {
          const type = "float32", shape = ["N", 6, 16, 16];
          const body = subgraph(
            [
              nodeOf("RandomNormalLike", ["state"], ["noise"]),
              nodeOf("Add", ["state", "noise"], ["next"]),
              nodeOf("Identity", ["going"], ["on"]),
            ],
            [{ name: "on", type: "bool", shape: [] }, { name: "next", type, shape }],
            [
              { name: "i", type: "int64", shape: [] },
              { name: "going", type: "bool", shape: [] },
              { name: "state", type, shape },
            ],
          );
          b.initializer(int64s([], [2]), "times");
          b.initializer(truth(true), "go");
          b.graph.nodes.push(nodeOf("Loop", ["times", "go", value], ["looped"], { body }));
          b.known.set("looped", { type, shape });
          return "looped";
        },
      }),
    says: /\(RandomNormalLike\) draws random numbers/,
  },
  "noise in the body of a Scan": {
    net: () =>
      smallNet({
        between: (b, value) => {
          const type = "float32", shape = [6, 16, 16];
          const body = subgraph(
            [
              nodeOf("RandomUniformLike", ["row"], ["noise"]),
              nodeOf("Add", ["row", "noise"], ["noisy"]),
            ],
            [{ name: "noisy", type, shape }],
            [{ name: "row", type, shape }],
          );
          b.graph.nodes.push(
            nodeOf("Scan", [value], ["scanned"], { body, num_scan_inputs: int(1) }),
          );
          b.known.set("scanned", { type, shape: ["N", ...shape] });
          return "scanned";
        },
      }),
    says: /\(RandomUniformLike\) draws random numbers/,
  },
  "a Softmax over the batch": {
    net: () => smallNet({ end: (b, value) => b.op("Softmax", [value], { axis: int(0) }) }),
    says: /\(Softmax\) runs over the batch axis of a tensor of shape \[N, 4\]/,
  },
  "a Softmax of an old operator set that flattens the batch": {
    net: () =>
      smallNet({ opset: 11, end: (b, value) => b.op("Softmax", [value], { axis: int(0) }) }),
    says: /\(Softmax\) runs over the batch axis/,
  },
  "a Softmax over the batch, which is fixed to 4": {
    net: () =>
      smallNet({ batch: 4, end: (b, value) => b.op("Softmax", [value], { axis: int(0) }) }),
    says: /\(Softmax\) runs over the batch axis/,
  },
  "a Softmax over the batch, which is fixed to 1": {
    net: () =>
      smallNet({ batch: 1, end: (b, value) => b.op("Softmax", [value], { axis: int(0) }) }),
    says: /\(Softmax\) runs over an axis of extent 1 of \[1, 4\], not over the 4 classes/,
  },
  "a mean over the batch": {
    net: () =>
      smallNet({
        between: (b, value) =>
          b.op("Sub", [value, b.op("ReduceMean", [value], { axes: { kind: "ints", value: [0] } })]),
      }),
    says: /\(ReduceMean\) runs over the batch axis of a tensor of shape \[N, 6, 16, 16\]/,
  },
  "the greatest value of all": {
    net: () =>
      smallNet({ between: (b, value) => b.op("Div", [value, b.op("ReduceMax", [value])]) }),
    says: /\(ReduceMax\) runs over the batch axis/,
  },
  "whitening over batch and space": {
    net: () => smallNet({ between: (b, value) => b.op("MeanVarianceNormalization", [value]) }),
    says: /\(MeanVarianceNormalization\) runs over the batch axis/,
  },
  "logits sorted along the batch": {
    net: () =>
      smallNet({
        end: (b, value) => b.ops("TopK", [value, b.ints([1])], { axis: int(0) }, 2)[0],
      }),
    says: /\(TopK\) runs over the batch axis/,
  },
  "a running sum along the batch": {
    net: () =>
      smallNet({ end: (b, value) => b.op("CumSum", [value, b.initializer(int64s([], [0]))]) }),
    says: /\(CumSum\) runs over the batch axis/,
  },
};

for (const [what, { net, says }] of Object.entries(REFUSED)) {
  Deno.test(`${what}: refused in one line before any work`, async () => {
    await withFolder(async (folder) => {
      const done = await explained(folder, await writeNet(folder, net()), INPUTS);
      assert.equal(done.status, 2, done.err);
      assert.match(done.err, says);
      assert.equal(done.err.trimEnd().split("\n").length, 1, done.err);
      assert.equal(done.out, "");
    });
  });
}

Deno.test("import and inspect refuse a network that draws random numbers, and say what analyze says", async () => {
  await withFolder(async (folder) => {
    const model = await writeNet(folder, REFUSED["noise by RandomNormalLike"]!.net());
    const into = join(folder, "into");
    const imported = await emocam("models", "import", "onnx", model, "--into", into);
    assert.equal(imported.status, 2);
    assertIncludes(imported.err, "draws random numbers");
    const seen = await emocam("models", "inspect", model);
    assert.match(seen.out, /not usable as classifier: .*draws random numbers/);
  });
});

Deno.test("what does not reach the scores may draw random numbers, and reductions within a sample are none over the batch", () => {
  const aside = smallNet({
    change(graph) {
      graph.nodes.push(nodeOf("RandomNormalLike", ["relu"], ["aside"]));
      graph.outputs.push({ name: "aside", type: "float32", shape: ["N", 6, 16, 16] });
    },
  });
  assert.equal(withScores(aside, { output: "logits" }).classes, 4);
  const within = smallNet({
    between(b, value) {
      const axes = { kind: "ints", value: [1, 2, 3] } as const;
      const mean = b.op("ReduceMean", [value], { axes });
      return b.op("InstanceNormalization", [
        b.op("Sub", [value, mean]),
        b.floats([6], [1, 1, 1, 1, 1, 1]),
        b.floats([6], [0, 0, 0, 0, 0, 0]),
      ]);
    },
  });
  assert.equal(withScores(within).classes, 4);
});
