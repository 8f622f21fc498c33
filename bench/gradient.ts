/**
 * What an explanation costs beside the prediction: the gradient of the head against the forward pass, with the classifiers
 * that ship cut at their target layer and at their first one. The gradient goes back no further than the cut.
 *
 * @module
 */

import ort from "onnxruntime-node";
import { createRng } from "../src/base/rng.ts";
import { floats } from "../src/base/tensor.ts";
import { openClassifier } from "../src/classifier/open.ts";
import { findClassifier } from "../src/classifier/source.ts";
import { textTable } from "../src/commands/terminal.ts";
import { targetLayers } from "../src/classifier/target_layer.ts";
import { type Benchmark, digits, race } from "./benchmark.ts";
import { bareSession } from "./shipped.ts";

const BATCH = 8;

export const gradient: Benchmark = {
  name: "gradient",
  title: `gradients at a layer against the forward pass, batch of ${BATCH}, backend native`,
  async run() {
    const rows: string[][] = [];
    for (const name of ["mini-xception", "face-expression"]) {
      const source = await findClassifier(name);
      const plain = await openClassifier(source, { backend: "native", batch: BATCH });
      const { whole, logits, probabilities } = plain.graphs;
      const [first] = targetLayers(whole, logits ?? probabilities);
      for (const layer of [plain.layer.name, first!.name]) {
        rows.push([name, ...await raceAt(name, layer)]);
      }
      await plain.dispose();
    }
    console.log(textTable(
      ["classifier", "cut at", "C x h x w", "bare ms", "cut ms", "ratio", "gradient ms", "ratio"],
      rows,
    ));
    console.log(
      "bare: the uncut model in ONNX Runtime; cut: with the activation as an output; ratios are to bare",
    );
  },
};

async function raceAt(name: string, layer: string): Promise<string[]> {
  const source = await findClassifier(name);
  const classifier = await openClassifier(source, { backend: "native", batch: BATCH, layer });
  const session = await bareSession(source.bytes);
  const rng = createRng(1);
  const shape = [BATCH, ...classifier.inputShape];
  const length = shape.reduce((a, b) => a * b);
  const input = floats(shape, Float32Array.from({ length }, () => rng.uniform()));
  const feeds = { [source.card.input.name]: new ort.Tensor("float32", input.data, shape) };
  const classes = classifier.classes.length;
  const cotangent = floats(
    [BATCH, classes],
    Float32Array.from({ length: BATCH * classes }, (_, i) => i % classes === 0 ? 1 : 0),
  );
  const score = classifier.hasLogits ? "logits" : "probabilities";
  const forward = await classifier.forward(input);
  const times = await race({
    bare: () => session.run(feeds),
    cut: async () => (await classifier.forward(input)).dispose(),
    gradient: () => classifier.gradient(forward, score, cotangent),
  }, { seconds: 2 });
  forward.dispose();
  await session.release();
  await classifier.dispose();
  const { channels, height, width } = classifier.layer;
  return [
    layer,
    `${channels} x ${height} x ${width}`,
    digits(times.bare),
    digits(times.cut),
    digits(times.cut / times.bare),
    digits(times.gradient),
    digits(times.gradient / times.bare),
  ];
}
