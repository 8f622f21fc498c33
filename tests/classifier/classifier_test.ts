import assert from "node:assert/strict";
import { ModelError, UsageError } from "../../src/base/errors.ts";
import { floats, rows, sizeOf, type Tensor } from "../../src/base/tensor.ts";
import type { Classifier } from "../../src/classifier/classifier.ts";
import { readFloats } from "../../src/classifier/values.ts";
import { openClassifier } from "../../src/classifier/open.ts";
import { findClassifier, sourceOf } from "../../src/classifier/source.ts";
import { createRng } from "../../src/base/rng.ts";
import { type GraphBuilder, ints, type Node } from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { learnedNodes, randomiseWeights } from "../../src/onnx/randomise.ts";
import { netOn, noise, output, put, runNative } from "../onnx/native.ts";
import { makeClassifier } from "./made_classifier.ts";
import { assertIncludes, assertMore } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";
import { networkOf } from "../../src/runtime/network.ts";

const INPUT = ["N", 3, 6, 8] as const;

/** Convolution → ReLU "maps" → strided convolution → ReLU → flatten → fully connected. */
function plain(b: GraphBuilder): string {
  const first = b.op("Conv", ["x", b.initializer(noise([4, 3, 3, 3], 1))], {
    pads: ints([1, 1, 1, 1]),
  });
  put(b, "Relu", [first], {}, "maps");
  const second = b.op("Conv", ["maps", b.initializer(noise([5, 4, 2, 2], 2))], {
    strides: ints([2, 2]),
  });
  const flat = b.op("Flatten", [b.op("Relu", [second])]);
  return b.op("Gemm", [flat, b.initializer(noise([60, 7], 3))]);
}

/** As `plain`, but the input itself is added after the target layer: something else crosses the cut. */
function residual(b: GraphBuilder): string {
  const mixed = b.op("Conv", ["x", b.initializer(noise([3, 3, 1, 1], 1))]);
  put(b, "Relu", [mixed], {}, "maps");
  const squared = b.op("Mul", ["maps", "maps"]);
  const sum = b.op("Add", [squared, b.op("Tanh", ["x"])]);
  const second = b.op("Conv", [sum, b.initializer(noise([5, 3, 2, 2], 2))], {
    strides: ints([2, 2]),
  });
  const flat = b.op("Flatten", [b.op("Relu", [second])]);
  return b.op("Gemm", [flat, b.initializer(noise([60, 7], 3))]);
}

/** One-hot rows [batch, 7]. */
const oneHot = (classes: readonly number[]) => {
  const data = new Float32Array(classes.length * 7);
  classes.forEach((k, row) => data[row * 7 + k] = 1);
  return floats([classes.length, 7], data);
};

const batchRows = (value: Tensor, count: number) => rows(value, 0, count);

Deno.test("a forward pass gives the graph's own activation and scores; what pads the batch changes nothing", async () => {
  const classifier = await makeClassifier({ input: INPUT, net: plain, layer: "maps", batch: 4 });
  const { name, channels, height, width } = classifier.layer;
  assert.deepEqual([name, channels, height, width], ["maps", 4, 6, 8]);
  assert.deepEqual([classifier.batch, classifier.inputShape, classifier.classes.length], [4, [
    3,
    6,
    8,
  ], 7]);
  const b = netOn(INPUT);
  const logits = plain(b);
  const graph = output(b, "maps", logits);
  const input = noise([3, 3, 6, 8], 9);
  const expected = await runNative(graph, { x: input });
  const forward = await classifier.forward(input);
  assert.equal(forward.count, 3);
  assert.deepEqual(forward.bypass, {});
  const activation = forward.activation as Tensor;
  assert.deepEqual(activation.shape, [4, 4, 6, 8]);
  assertClose(batchRows(activation, 3), expected.maps as Tensor, { ofLargest: 1e-6 });
  assertClose(batchRows(forward.logits!, 3), expected[logits] as Tensor, { ofLargest: 1e-6 });
  for (let row = 0; row < 3; row++) {
    const own = forward.logits!.data.slice(row * 7, (row + 1) * 7);
    const sum = own.reduce((total, z) => total + Math.exp(z), 0);
    own.forEach((z, k) =>
      assertClose(forward.probabilities.data[row * 7 + k], Math.exp(z) / sum, 1e-6)
    );
    const alone = await classifier.forward(rows(input, row, row + 1));
    assert.deepEqual(alone.logits!.data.slice(0, 7), own);
  }
  await assert.rejects(classifier.forward(noise([5, 3, 6, 8])), /a batch has 4/);
  await classifier.dispose();
});

/** Gradients of the chosen scores by central differences at the target layer. */
async function differences(
  classifier: Classifier,
  forward: Awaited<ReturnType<Classifier["forward"]>>,
  classes: readonly number[],
  score: "logits" | "probabilities",
): Promise<Float64Array[]> {
  const activation = await readFloats(forward.activation);
  const size = sizeOf(activation.shape.slice(1));
  const step = 1 / 64;
  return await Promise.all(classes.map(async (k, row) => {
    const shifted = new Float32Array(2 * size * size);
    for (let i = 0; i < size; i++) {
      for (const [half, sign] of [[0, 1], [1, -1]] as const) {
        const at = (2 * i + half) * size;
        shifted.set(activation.data.subarray(row * size, (row + 1) * size), at);
        shifted[at + i] += sign * step;
      }
    }
    const moved = floats([2 * size, ...activation.shape.slice(1)], shifted);
    const { [score]: scores } = await classifier.evaluateHead(moved, forward, row);
    return Float64Array.from(
      { length: size },
      (_, i) => (scores!.data[2 * i * 7 + k] - scores!.data[(2 * i + 1) * 7 + k]) / (2 * step),
    );
  }));
}

for (
  const [name, net] of [["a plain net", plain], [
    "a net with something beside the cut",
    residual,
  ]] as const
) {
  Deno.test(`the gradient of ${name} is that of finite differences, and its mean is over space`, async () => {
    const classifier = await makeClassifier({ input: INPUT, net, layer: "maps" });
    assert.equal(classifier.resumable, net === plain);
    // Away from the corners of the ReLUs, so that a step does not cross one: cells that are 0 are left out below.
    const forward = await classifier.forward(noise([2, 3, 6, 8], 12));
    const classes = [5, 2];
    for (const score of ["logits", "probabilities"] as const) {
      const { gradient, mean } = await classifier.gradient(forward, score, oneHot(classes));
      const [found, means] = [await readFloats(gradient), await readFloats(mean)];
      assert.deepEqual(found.shape, (forward.activation as Tensor).shape);
      const [batch, channels, height, width] = found.shape as [number, number, number, number];
      assert.deepEqual(means.shape, [batch, channels]);
      const cells = height * width;
      for (let plane = 0; plane < batch * channels; plane++) {
        const own = found.data.subarray(plane * cells, (plane + 1) * cells);
        const sum = own.reduce((total, value) => total + value, 0);
        assertClose(means.data[plane], sum / cells, 1e-6);
      }
      const expected = await differences(classifier, forward, classes, score);
      const size = channels * cells;
      expected.forEach((row, r) => {
        const scale = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const wrong = row.filter((value, i) =>
          Math.abs(value - found.data[r * size + i]) > 0.02 * scale
        );
        // A step may cross a corner of the second ReLU for a few cells.
        assert.ok(wrong.length <= size * 0.05, `${score}: ${wrong.length} of ${size} differ`);
      });
    }
    await classifier.dispose();
  });
}

Deno.test("a pass that starts from stored activations gives the same gradients to the last bit", async () => {
  const classifier = await makeClassifier({ input: INPUT, net: plain, layer: "maps", batch: 3 });
  const forward = await classifier.forward(noise([2, 3, 6, 8], 12));
  const again = classifier.resume(
    batchRows(forward.activation as Tensor, 2),
    batchRows(forward.logits!, 2),
    batchRows(forward.probabilities, 2),
  );
  assert.deepEqual([again.count, again.input], [2, undefined]);
  const gradient = async (pass: typeof forward) =>
    batchRows(
      await readFloats(
        (await classifier.gradient(pass, "probabilities", oneHot([1, 4, 0]))).gradient,
      ),
      2,
    );
  assert.deepEqual((await gradient(again)).data, (await gradient(forward)).data);
  await classifier.dispose();
});

Deno.test("scores of any number of inputs or activations are those of a pass", async () => {
  for (const net of [plain, residual]) {
    const classifier = await makeClassifier({ input: INPUT, net, layer: "maps", batch: 2 });
    const inputs = noise([5, 3, 6, 8], 31);
    const all = await classifier.evaluate(inputs);
    assert.deepEqual([all.logits!.shape, all.probabilities.shape], [[5, 7], [5, 7]]);
    for (let row = 0; row < 5; row++) {
      const forward = await classifier.forward(rows(inputs, row, row + 1));
      assert.deepEqual(
        forward.logits!.data.slice(0, 7),
        all.logits!.data.slice(row * 7, (row + 1) * 7),
      );
      const activation = batchRows(forward.activation as Tensor, 1);
      const [n, ...shape] = activation.shape;
      const twice = floats([2 * n!, ...shape], [...activation.data, ...activation.data]);
      const head = await classifier.evaluateHead(twice, forward, 0);
      assertClose(batchRows(head.logits!, 1), batchRows(forward.logits!, 1), { ofLargest: 1e-6 });
      assert.deepEqual(head.logits!.data.slice(0, 7), head.logits!.data.slice(7));
    }
    await classifier.dispose();
  }
});

Deno.test("a model with a fixed batch size keeps it, and says so", async () => {
  const classifier = await makeClassifier({
    input: [3, 3, 6, 8],
    net: plain,
    layer: "maps",
    batch: 8,
  });
  assert.equal(classifier.batch, 3);
  assertIncludes(classifier.notices, "made has a fixed batch size of 3");
  const forward = await classifier.forward(noise([2, 3, 6, 8]));
  assert.deepEqual(forward.probabilities.shape, [3, 7]);
  const { mean } = await classifier.gradient(forward, "logits", oneHot([1, 2, 3]));
  assert.deepEqual(mean.shape, [3, 4]);
  await classifier.dispose();
});

Deno.test("a derived classifier has the changed weights, once for each name", async () => {
  const classifier = await makeClassifier({ input: INPUT, net: plain, layer: "maps" });
  let made = 0;
  const derive = () =>
    classifier.derive("halved", (graph) => {
      made++;
      for (const [name, value] of graph.initializers) {
        if (value.shape.join() !== "60,7" || value.type !== "float32") continue;
        graph.initializers.set(name, { ...value, data: value.data.map((weight) => weight / 2) });
      }
      return graph;
    });
  const halved = await derive();
  assert.equal(await derive(), halved);
  assert.equal(made, 1);
  const input = noise([2, 3, 6, 8], 3);
  const [own, other] = [await classifier.forward(input), await halved.forward(input)];
  own.logits!.data.forEach((value, i) => assertClose(value / 2, other.logits!.data[i], 1e-6));
  assert.deepEqual((other.activation as Tensor).data, (own.activation as Tensor).data);
  await classifier.dispose();
});

Deno.test("what is derived is made of the graph of the scores: weights kept by Constant nodes, other heads listed first", async () => {
  const input = noise([2, 3, 6, 8], 3);
  for (const kind of ["constants", "another head"]) {
    const classifier = await makeClassifier({
      input: INPUT,
      layer: "maps",
      net: (b) => {
        const logits = plain(b);
        if (kind === "another head") {
          // Behind the scores in the file, so that it is met first from the end.
          put(b, "Conv", ["maps", b.initializer(noise([2, 4, 1, 1], 7))], {}, "other");
          b.graph.outputs.push({ name: "other", type: "float32" });
          return logits;
        }
        const values = [...b.graph.initializers];
        b.graph.initializers.clear();
        b.graph.nodes.unshift(...values.map(([name, value]): Node => ({
          name: `made ${name}`,
          op: "Constant",
          domain: "",
          inputs: [],
          outputs: [name],
          attributes: { value: { kind: "tensor", value } },
        })));
        return logits;
      },
    });
    const layers = learnedNodes(classifier.graphs.whole);
    assert.equal(layers.length, 3, kind);
    // All layers but the last, and the last one alone: each changes the logits.
    for (const count of [1, 3]) {
      const random = await classifier.derive(
        `random ${count}`,
        (graph) => randomiseWeights(graph, createRng(1), count),
      );
      const [own, other] = [await classifier.forward(input), await random.forward(input)];
      const changed = own.logits!.data.filter((value, i) => value !== other.logits!.data[i]);
      assertMore(changed.length, 10, `${kind}, ${count}`);
      assert.equal(
        (other.activation as Tensor).data.every((v, i) => v === (own.activation as Tensor).data[i]),
        count === 1,
        `${kind}, ${count}`,
      );
      assert.notDeepEqual(random.key, classifier.key);
    }
    await classifier.dispose();
  }
});

Deno.test("a model that takes other than float32 values is refused with what it takes", async () => {
  const b = netOn(INPUT);
  const logits = plain(b);
  const graph = output(b, logits);
  graph.inputs[0].type = "uint8";
  const source = await findClassifier("mini-xception");
  const card = { ...source.card, input: { ...source.card.input, name: "x" } };
  await assert.rejects(
    openClassifier(sourceOf(networkOf(card, writeModel(graph))), {
      backend: "native",
      batch: 1,
    }),
    (error: Error) =>
      error instanceof ModelError &&
      /its input takes uint8 values, float32 is what it would get; export it/.test(error.message),
  );
});

Deno.test("a derived classifier can be dropped, and is made anew", async () => {
  const classifier = await makeClassifier({ input: INPUT, net: plain, layer: "maps" });
  const same = () => classifier.derive("same", (graph) => graph);
  const first = await same();
  await classifier.dropDerived("same");
  await classifier.dropDerived("there is none of this name");
  const second = await same();
  assert.notEqual(second, first);
  const input = noise([2, 3, 6, 8], 3);
  assert.deepEqual(
    (await second.forward(input)).logits!.data,
    (await classifier.forward(input)).logits!.data,
  );
  await classifier.dispose();
});

Deno.test("the same classifier cut at another layer, once for each; an unknown one is refused, again and again", async () => {
  const net = await makeClassifier({ input: INPUT, net: plain, layer: "maps" });
  const own = await net.cutAt("maps");
  assert.equal(await net.cutAt("maps"), own);
  const input = noise([2, 3, 6, 8], 3);
  assert.deepEqual(
    (await readFloats((await own.forward(input)).activation)).data,
    (await readFloats((await net.forward(input)).activation)).data,
  );
  for (let i = 0; i < 2; i++) await assert.rejects(net.cutAt("nowhere"), UsageError);
  await net.dispose();
});

Deno.test("the key names everything that predictions depend on", async () => {
  const source = await findClassifier("mini-xception");
  const open = (changes: Record<string, unknown> = {}) =>
    openClassifier(source, { backend: "native", batch: 4, ...changes });
  const plainKey = (await open()).key;
  assert.deepEqual((await open()).key, plainKey);
  assert.deepEqual((await open({ placement: "half-pixel" })).key, plainKey);
  for (const changes of [{ batch: 5 }, { backend: "wasm" }, { layer: "mini-xception/Conv_19" }]) {
    assert.notDeepEqual((await open(changes)).key, plainKey, JSON.stringify(changes));
  }
  const card = { ...source.card, input: { ...source.card.input, scale: 1 } };
  const scaled = await openClassifier({ ...source, card }, { backend: "native", batch: 4 });
  assert.notDeepEqual(scaled.key, plainKey);
});

Deno.test("cells are placed by their receptive fields, or evenly; a bare model says how far these are apart", async () => {
  const source = await findClassifier("mini-xception");
  const field = await openClassifier(source, { backend: "native", batch: 1 });
  assert.equal(field.placementRule, "receptive-field");
  for (const axis of ["x", "y"] as const) {
    const { centre, stride } = field.layer.field![axis];
    const { scale, offset } = field.placement[axis];
    // Cell i looks around pixel centre + stride · i, whose middle is half a pixel further.
    for (const i of [0, 3, 7]) {
      assertClose(scale * (centre + stride * i + 0.5) + offset, i, 1e-9);
    }
  }
  const even = await openClassifier(source, {
    backend: "native",
    batch: 1,
    placement: "half-pixel",
  });
  assert.deepEqual(even.placement, {
    x: { scale: 1 / 8, offset: -0.5 },
    y: { scale: 1 / 8, offset: -0.5 },
  });
  assert.deepEqual(even.notices, []);
  const far = await openClassifier(await findClassifier("face-expression"), {
    backend: "native",
    batch: 1,
    placement: "half-pixel",
  });
  assert.match(
    far.notices.join(),
    /by their receptive fields cells lie up to \d+\.\d pixels elsewhere/,
  );
});

Deno.test("a layer or model that cannot be used is refused with what could be", async () => {
  const make = (layer: string, net = plain) => makeClassifier({ input: INPUT, net, layer });
  const usage = (pattern: RegExp) => (error: unknown) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.match(error.message, pattern);
    return true;
  };
  await assert.rejects(
    make("nope"),
    usage(/"nope": no tensor has this name; take one of … .*maps/),
  );
  const flat = (b: GraphBuilder) => {
    put(b, "Flatten", ["x"], {}, "flat");
    return b.op("Gemm", ["flat", b.initializer(noise([144, 7]))]);
  };
  await assert.rejects(make("flat", flat), usage(/its shape is \[N,144\], not \[N, C, h, w\]/));
  const source = await findClassifier("mini-xception");
  const card = { ...source.card, classes: ["a", "b"] };
  await assert.rejects(
    openClassifier({ ...source, card }, { backend: "native", batch: 1 }),
    (error: unknown) =>
      error instanceof ModelError && /has 7 classes, its card names 2/.test(error.message),
  );
});
