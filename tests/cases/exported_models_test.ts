/**
 * Models as exporters write them: channels last, a batch baked in. The oracle is the same network written plainly.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { floats, int64s, type Tensor } from "../../src/base/tensor.ts";
import { rows } from "../../src/base/tensor.ts";
import {
  copyGraph,
  type Dim,
  type Graph,
  type GraphBuilder,
  int,
  ints,
  type ValueInfo,
} from "../../src/onnx/graph.ts";
import { channelsFirst, layoutOf } from "../../src/onnx/channels_first.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { assertClose } from "../assert_close.ts";
import { assertExcludes, assertIncludes } from "../assert_that.ts";
import { emocam } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { noise, put, runNative } from "../onnx/native.ts";
import { explained, nodeOf, SIDE, smallNet, writeNet, writePictures } from "./small_nets.ts";

const INPUTS = noise([3, 3, SIDE, SIDE], 5);

/** The same network with channels last: a Transpose in front of it, as tf2onnx writes it. */
function channelsLast(graph: Graph, shape: readonly Dim[] = ["N", SIDE, SIDE, 3]): Graph {
  const copy = copyGraph(graph);
  for (const node of copy.nodes) {
    node.inputs = node.inputs.map((name) => name === "x" ? "x/first" : name);
  }
  copy.inputs[0] = { name: "x", type: "float32", shape };
  copy.nodes.unshift(nodeOf("Transpose", ["x"], ["x/first"], { perm: ints([0, 3, 1, 2]) }));
  return copy;
}

const cardOf = (more: Record<string, unknown> = {}) => ({
  task: "classifier",
  input: { name: "x", width: SIDE, height: SIDE, channels: "rgb", scale: 1 / 255, ...more },
  classes: ["a", "b", "c", "d"],
});

Deno.test("a model with channels last gives what it gives with channels first: explain, analyze, methods at the input", async () => {
  await withFolder(async (folder) => {
    const methods = ["--methods", "grad-cam,saliency,ablation-cam,rise,lrp-cam", "--class", "all"];
    const plain = await explained(folder, await writeNet(folder, smallNet()), INPUTS, ...methods);
    assertExcludes(plain.err, "channels last");
    const last = await writeNet(folder, channelsLast(smallNet()), "last.onnx");
    const done = await explained(folder, last, INPUTS, ...methods);
    assert.equal(done.status, 0, done.err);
    assert.match(done.err, /^note: the model takes channels last, \[N, 16, 16, 3\]$/m);
    assert.deepEqual(done.probabilities, plain.probabilities);
    for (const [name, map] of Object.entries(plain.maps)) {
      assertClose(done.maps[name]!.data, map.data, 1e-6);
    }
    const corpus = await writePictures(folder, 2);
    const tables: string[] = [];
    for (const model of ["net", "last"]) {
      const out = join(folder, model);
      const boxes = join(folder, "boxes.csv");
      const run = await emocam(
        ...["analyze", corpus, "--classifier", join(folder, `${model}.onnx`), "--out", out],
        ...["--backend", "native", "--detector", boxes],
      );
      assert.equal(run.status, 0, run.err);
      tables.push(await Deno.readTextFile(join(out, "boxes.csv")));
    }
    assert.equal(tables[1], tables[0]);
  });
});

Deno.test("import writes the layout to the card, inspect says it, and the imported model works", async () => {
  await withFolder(async (folder) => {
    const model = await writeNet(folder, channelsLast(smallNet()));
    const card = join(folder, "about.json");
    await Deno.writeTextFile(card, JSON.stringify(cardOf()));
    const plain = await explained(folder, await writeNet(folder, smallNet(), "plain.onnx"), INPUTS);
    for (const more of [[], ["--card", card]]) {
      const into = join(folder, `into${more.length}`);
      const made = await emocam(
        ...["models", "import", "onnx", model, "--name", "keras", "--into", into],
        ...more,
      );
      assert.equal(made.status, 0, made.err);
      const path = join(into, "keras.json");
      const written = JSON.parse(await Deno.readTextFile(path));
      assert.equal(written.input.layout, "nhwc");
      assert.equal(written.targetLayer, "relu");
      assert.deepEqual((await explained(folder, path, INPUTS)).probabilities, plain.probabilities);
    }
    const seen = await emocam("models", "inspect", model, "--json");
    const facts = JSON.parse(seen.out);
    assert.deepEqual(facts.inputs, ["x float32 [N, 16, 16, 3]"]);
    assert.equal(facts.layout, "nhwc");
    assert.equal(facts.defaultLayer, "relu");
  });
});

Deno.test("the layout is recognised from the extents, or from what reads the input; a card decides where it says so", () => {
  const layouts: [readonly Dim[], string][] = [
    [["N", 3, 224, 224], "nchw"],
    [["N", 224, 224, 3], "nhwc"],
    [[1, 48, 48, 1], "nhwc"],
    [["N", 1, 48, 48], "nchw"],
    [["N", 3, 224, 3], "nchw"],
    [["N", "H", "W", 3], "nhwc"],
    [["N", 3, "H", "W"], "nchw"],
    [["N", "C", "H", "W"], "nchw"],
    [["N", 4, 16, 16], "nchw"],
  ];
  const graphOf = (shape: readonly Dim[]): Graph => {
    const graph = copyGraph(smallNet());
    graph.inputs[0] = { name: "x", type: "float32", shape };
    return graph;
  };
  for (const [shape, layout] of layouts) assert.equal(layoutOf(graphOf(shape)), layout, `${shape}`);
  assert.equal(layoutOf(channelsLast(smallNet(), ["N", "a", "b", "c"])), "nhwc");
});

Deno.test("an input that the output and a branch read too is still what the file had", async () => {
  const graph = channelsLast(smallNet());
  graph.outputs.push({ name: "same", type: "float32", shape: ["N", SIDE, SIDE, 3] });
  graph.nodes.push(nodeOf("Identity", ["x"], ["same"]));
  const first = channelsFirst(graph);
  assert.deepEqual(first.inputs[0]!.shape, ["N", 3, SIDE, SIDE]);
  const { same, logits } = await runNative(first, { x: INPUTS });
  const plain = await runNative(smallNet(), { x: INPUTS });
  assert.deepEqual(logits!.data, plain["logits"]!.data);
  const pixel = (y: number, x: number, c: number) => INPUTS.data[(c * SIDE + y) * SIDE + x];
  assert.deepEqual(
    Array.from(same!.data.slice(0, 3) as Float32Array),
    [0, 1, 2].map((c) => pixel(0, 0, c)),
  );
});

Deno.test("a card of the other layout, and channels last in another type, end in one line", async () => {
  await withFolder(async (folder) => {
    const model = writeModel(channelsLast(smallNet()));
    await Deno.writeFile(join(folder, "net.onnx"), model);
    const card = join(folder, "about.json");
    await Deno.writeTextFile(card, JSON.stringify(cardOf({ layout: "nchw" })));
    const refused = await emocam(
      ...["models", "import", "onnx", join(folder, "net.onnx"), "--into", folder],
      ...["--name", "other", "--card", card],
    );
    assert.equal(refused.status, 2);
    assert.match(
      refused.err,
      /^Cannot use model other: its input has shape \[N,16,16,3\], its card says/,
    );
    const bytes = channelsLast(smallNet());
    bytes.inputs[0] = { name: "x", type: "uint8", shape: ["N", SIDE, SIDE, 3] };
    bytes.nodes.unshift(nodeOf("Cast", ["x"], ["x/float"], { to: int(1) }));
    bytes.nodes[1]!.inputs = ["x/float"];
    const done = await explained(folder, await writeNet(folder, bytes), INPUTS);
    assert.equal(done.status, 2);
    assert.match(done.err, /^Cannot use .*its input takes uint8 values/);
    assert.equal(done.err.trimEnd().split("\n").length, 1);
  });
});

/** Ways to have a batch baked in, and how many samples it has. */
const BAKED: Record<string, { size: number; net: () => Graph }> = {
  "an input of batch 1": { size: 1, net: () => smallNet({ batch: 1 }) },
  "an input of batch 2": { size: 2, net: () => smallNet({ batch: 2 }) },
  "a Reshape to [1, -1]": {
    size: 1,
    net: () => smallNet({ flatten: (b, value) => b.op("Reshape", [value, b.ints([1, -1])]) }),
  },
  "a Reshape to [1, 6]": {
    size: 1,
    net: () => smallNet({ flatten: (b, value) => b.op("Reshape", [value, b.ints([1, 6])]) }),
  },
  "a Reshape to [2, -1]": {
    size: 2,
    net: () => smallNet({ flatten: (b, value) => b.op("Reshape", [value, b.ints([2, -1])]) }),
  },
  "a Reshape in front of a mean over space": {
    size: 1,
    net: () =>
      smallNet({
        flatten(b) {
          const flat = b.op("Reshape", ["relu", b.ints([1, 6, -1])]);
          return b.op("ReduceMean", [flat], { axes: ints([2]), keepdims: int(0) });
        },
      }),
  },
  "a Reshape to a constant that a node holds": {
    size: 1,
    net: () =>
      smallNet({
        flatten(b, value) {
          put(b, "Constant", [], {
            value: { kind: "tensor", value: int64s([2], [1, -1]) },
          }, "target");
          return b.op("Reshape", [value, "target"]);
        },
      }),
  },
  "the first sample taken by its index": {
    size: 1,
    net: () =>
      smallNet({
        flatten(b, value) {
          const first = b.op("Gather", [value, b.initializer(int64s([], [0]))], { axis: int(0) });
          return b.op("Reshape", [first, b.ints([1, 6])]);
        },
      }),
  },
};

for (const [what, { size, net }] of Object.entries(BAKED)) {
  Deno.test(`${what}: the scores and maps of the network without, and a note`, async () => {
    await withFolder(async (folder) => {
      const methods = ["grad-cam", "saliency", "ablation-cam", "score-cam", "rise", "lrp-cam"];
      const more = ["--methods", methods.join(), "--class", "all"];
      const plain = await explained(folder, await writeNet(folder, smallNet()), INPUTS, ...more);
      for (const backend of ["native", "wasm"]) {
        const done = await explained(
          folder,
          await writeNet(folder, net()),
          INPUTS,
          ...more,
          "--backend",
          backend,
        );
        assert.equal(done.status, 0, done.err);
        assertIncludes(
          done.err,
          what.includes("input")
            ? `note: net has a fixed batch size of ${size}`
            : `note: net can only be run on a batch of ${size}, although its input leaves the batch open`,
        );
        assertClose(done.probabilities.flat(), plain.probabilities.flat(), 1e-6);
        assert.deepEqual(Object.keys(done.maps), Object.keys(plain.maps));
        for (const [name, map] of Object.entries(plain.maps)) {
          const greatest = map.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          assertClose(done.maps[name]!.data, map.data, 1e-5 * greatest);
        }
      }
    });
  });
}

/** A batch of one by nodes whose shapes do not follow from the graph. */
function hiddenOne(b: GraphBuilder, value: string): string {
  const places = b.op("NonZero", [b.op("Relu", [b.initializer(floats([2], [1, 0]))])]);
  // [1]: computed, and so not known beforehand.
  const one = b.op("Add", [b.op("Squeeze", [places, b.ints([0])]), b.ints([1])]);
  b.graph.nodes.push(nodeOf("Concat", [one, b.ints([6])], ["target"], { axis: int(0) }));
  b.graph.nodes.push(nodeOf("Reshape", [value, "target"], ["flat"]));
  const info: ValueInfo = { name: "flat", type: "float32", shape: ["rows", "columns"] };
  b.graph.stated.set("flat", info);
  b.known.set("flat", info);
  return "flat";
}

Deno.test("a batch of one that only a run shows ends in one line that says what to do, and that does it", async () => {
  await withFolder(async (folder) => {
    const model = await writeNet(folder, smallNet({ flatten: hiddenOne }));
    for (const backend of ["native", "wasm"]) {
      const more = ["--methods", "eigen-cam", "--backend", backend];
      const done = await explained(folder, model, INPUTS, ...more);
      // On native, a graph with operators whose rows are not known to be steady is run row by row anyway.
      assert.equal(done.status, backend === "native" ? 0 : 2, done.err);
      if (backend !== "native") {
        const [line, ...rest] = done.err.trimEnd().split("\n").filter((line) =>
          !line.startsWith("note: ")
        );
        assert.match(
          line!,
          /^Cannot run model net on batches of \d+: it takes one sample at a time; give --batch 1 \(.*Reshape/,
        );
        assert.deepEqual(rest, []);
      }
      const plain = await explained(
        folder,
        await writeNet(folder, smallNet(), "plain.onnx"),
        INPUTS,
      );
      const single = await explained(folder, model, INPUTS, ...more, "--batch", "1");
      assert.equal(single.status, 0, single.err);
      assertClose(single.probabilities.flat(), plain.probabilities.flat(), 1e-6);
    }
  });
});

Deno.test("ONNX Runtime's own words come at the end of one line, and none of its own lines are printed", async () => {
  await withFolder(async (folder) => {
    // A Reshape that no batch fits.
    const net = smallNet({
      end(b, logits) {
        b.graph.nodes.push(nodeOf("Reshape", [logits, b.ints([-1, 7])], ["seven"]));
        const info: ValueInfo = { name: "four", type: "float32", shape: ["N", 4] };
        b.graph.nodes.push(
          nodeOf("Slice", ["seven", b.ints([0]), b.ints([4]), b.ints([1])], ["four"]),
        );
        b.known.set("four", info);
        return "four";
      },
    });
    const done = await explained(folder, await writeNet(folder, net), INPUTS);
    assert.equal(done.status, 2);
    assert.match(done.err, /Cannot [^\n]*\n$/);
    assertExcludes(done.err, "\x1b");
  });
});

Deno.test("a model that is float16 inside is refused in one line before any work", async () => {
  await withFolder(async (folder) => {
    const net = smallNet({
      between(b, value) {
        const half = put(b, "Cast", [value], { to: int(10) }, "half");
        return b.op("Cast", [put(b, "Neg", [half], {}, "negated")], { to: int(1) });
      },
    });
    const done = await explained(
      folder,
      await writeNet(folder, net),
      INPUTS,
      "--layer",
      "negated",
    );
    assert.equal(done.status, 2);
    assert.equal(
      done.err,
      'Cannot use model net: its tensor "negated" is float16; convert the model to float32\n',
    );
  });
});

Deno.test("rows are those of the samples one by one", async () => {
  await withFolder(async (folder) => {
    const model = await writeNet(folder, BAKED["a Reshape to [1, -1]"]!.net());
    const all = await explained(folder, model, INPUTS);
    for (const row of [0, 1, 2]) {
      const one: Tensor = rows(INPUTS, row, row + 1);
      const alone = await explained(folder, model, { ...one, data: one.data.slice() });
      assert.deepEqual(alone.probabilities[0], all.probabilities[row]);
    }
  });
});
