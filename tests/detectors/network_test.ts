import assert from "node:assert/strict";
import { ModelError } from "../../src/base/errors.ts";
import { type DetectorNetworkCard, openDetectorNetwork } from "../../src/detectors/network.ts";
import type { Graph, GraphBuilder } from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { networkOf } from "../../src/runtime/network.ts";
import { takeGraph } from "../../src/runtime/taken_graph.ts";
import { truth } from "../cases/small_nets.ts";
import { netOn, noise, output, put } from "../onnx/native.ts";

const CARD: DetectorNetworkCard = {
  name: "small",
  task: "faces",
  source: "made",
  file: "small.onnx",
  sha256: "",
  input: {
    name: "x",
    width: 8,
    height: 8,
    channels: "rgb",
    fit: "stretch",
    resize: "pillow-bicubic",
    scale: 1,
    mean: [0],
    std: [1],
  },
};
const SIZE = { width: 8, height: 8 };
const PICTURE = noise([3, 8, 8], 4).data;

/** A network of one convolution, with something after it. */
function net(more: (b: GraphBuilder, value: string) => string = (_, value) => value): Graph {
  const b = netOn([1, 3, 8, 8]);
  const conv = b.op("Conv", ["x", b.initializer(noise([2, 3, 1, 1], 3), "w")]);
  return output(b, put(b, "Identity", [more(b, conv)], {}, "grid"));
}

const noisy = net((b, value) =>
  b.op("Add", [value, put(b, "RandomNormalLike", [value], {}, "noise")])
);

Deno.test("a detector's network in training mode gives what it gives in inference, with a remark", async () => {
  const training = net((b, value) =>
    put(
      b,
      "Dropout",
      [value, b.floats([], [0.5]), b.initializer(truth(true), "training")],
      {},
      "drop",
    )
  );
  const outputs = [];
  for (const graph of [net(), training]) {
    const network = await openDetectorNetwork(networkOf(CARD, writeModel(graph)), "native", [
      { output: "grid" },
    ]);
    outputs.push(await network.run(PICTURE, SIZE));
    assert.deepEqual(
      network.notices,
      graph === training
        ? [
          'small: node "drop" (Dropout) is in training mode; evaluated as in inference, which changes nothing',
        ]
        : [],
    );
    await network.dispose();
  }
  assert.deepEqual(outputs[1], outputs[0]);
});

Deno.test("a detector's network that draws random numbers is refused, unless no head needs them", async () => {
  await assert.rejects(
    openDetectorNetwork(networkOf(CARD, writeModel(noisy)), "native", [{ output: "grid" }]),
    (error: Error) => {
      assert.ok(error instanceof ModelError, `${error.stack}`);
      assert.match(error.message, /node "noise" \(RandomNormalLike\) draws random numbers/);
      return true;
    },
  );
  const aside = net((b, value) => {
    put(b, "RandomNormalLike", [value], {}, "noise");
    b.graph.outputs.push({ name: "noise", type: "float32", shape: [1, 2, 8, 8] });
    return value;
  });
  const network = await openDetectorNetwork(networkOf(CARD, writeModel(aside)), "native", [
    { output: "grid" },
  ]);
  await network.run(PICTURE, SIZE);
  await network.dispose();
});

for (const backend of ["native", "wasm"] as const) {
  Deno.test(`outputs that depend on chance in a way that was not seen are found by the first picture, on ${backend}`, async () => {
    // What was looked at is not what is run.
    const hidden = networkOf(CARD, writeModel(noisy), { taken: takeGraph(net()) });
    const network = await openDetectorNetwork(hidden, backend, [{ output: "grid" }]);
    for (let time = 0; time < 2; time++) {
      await assert.rejects(network.run(PICTURE, SIZE), (error: Error) => {
        assert.ok(error instanceof ModelError, `${error.stack}`);
        assert.match(
          error.message,
          /^Cannot use model small: its outputs depend on chance: in two runs of the same picture element \d+ of grid is \S+ and \S+; export/,
        );
        return true;
      });
    }
    await network.dispose();
  });
}
