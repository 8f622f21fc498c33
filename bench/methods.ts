/**
 * What methods cost on a network of EmoNet's shape (57 million random weights, 227 × 227), beside its forward pass.
 *
 * @module
 */

import { createRng } from "../src/base/rng.ts";
import { floats, rows, type Tensor } from "../src/base/tensor.ts";
import type { Classifier } from "../src/classifier/classifier.ts";
import { openClassifier } from "../src/classifier/open.ts";
import { textTable } from "../src/commands/terminal.ts";
import { emonetGraph } from "../src/importers/emonet/graph.ts";
import { CLASSES, INPUT_SIDE } from "../src/importers/emonet/geometry.ts";
import { createContext, METHODS } from "../src/methods/mod.ts";
import { writeModel } from "../src/onnx/model_file.ts";
import type { ClassifierCard } from "../src/runtime/card.ts";
import { type Benchmark, digits, race } from "./benchmark.ts";
import { emonetWeights } from "./paper_models.ts";
import { networkOf } from "../src/runtime/network.ts";
import { sourceOf } from "../src/classifier/source.ts";

const BATCH = 8;
const PREDICTED = 3;

/** Methods that need the activation, or the activation and one gradient at the target layer, and nothing else. */
const TOGETHER = [
  "grad-cam",
  "hires-cam",
  "elementwise-grad-cam",
  "grad-cam-plus-plus",
  "xgrad-cam",
  "layer-cam",
  "eigen-grad-cam",
  "fem",
  "eigen-cam",
];
const MASKED = ["ablation-cam", "lime-cam", "kernel-shap-cam"];

export const methods: Benchmark = {
  name: "methods",
  title:
    `methods on EmoNet's shape, an image at batch ${BATCH}, forward pass included, backend native`,
  async run() {
    const classifier = await openEmonetShape();
    try {
      const input = noise(BATCH);
      const forward = async () => (await classifier.forward(input)).dispose();
      const lines: string[][] = [];
      const compare = async (
        title: string,
        names: readonly string[],
        limit: string,
        rounds = 5,
      ) => {
        const times = await race(
          { forward, explain: () => explain(classifier, input, names) },
          { seconds: 0, least: rounds },
        );
        lines.push([
          title,
          digits(times.forward / BATCH),
          digits(times.explain / BATCH),
          digits(times.explain / times.forward),
          limit,
        ]);
      };
      for (
        const name of ["grad-cam", "grad-cam-plus-plus", "xgrad-cam", "layer-cam", "hires-cam"]
      ) {
        await compare(name, [name], "1.7");
      }
      await compare(`${TOGETHER.length} methods of activation and gradient`, TOGETHER, "2.2");
      for (const name of MASKED) await compare(name, [name], "8", 3);
      console.log(
        textTable(["methods", "forward ms", "with maps ms", "ratio", "wanted at most"], lines),
      );
      await scoreCam(classifier);
    } finally {
      await classifier.dispose();
    }
  },
};

/** Score-CAM of one image against its 256 masked forward passes alone. */
async function scoreCam(classifier: Classifier): Promise<void> {
  const one = rows(noise(BATCH), 0, 1);
  const passes = noise(BATCH);
  const { channels } = classifier.layer;
  const times = await race({
    passes: async () => {
      for (let i = 0; i < channels / BATCH; i++) (await classifier.forward(passes)).dispose();
    },
    scoreCam: () => explain(classifier, one, ["score-cam"]),
  }, { seconds: 0, least: 4 });
  console.log(
    `score-cam of an image: ${
      digits(times.scoreCam)
    } ms; its ${channels} forward passes in batches of ${BATCH}: ${
      digits(times.passes)
    } ms; ratio ${digits(times.scoreCam / times.passes)} (wanted at most 1.15)`,
  );
}

async function explain(
  classifier: Classifier,
  input: Tensor,
  names: readonly string[],
): Promise<void> {
  const forward = await classifier.forward(input);
  const keys = Array.from({ length: BATCH }, (_, i) => String(i));
  const context = createContext(classifier, forward, "logit", { seed: 0, keys });
  const classes = keys.map(() => PREDICTED);
  for (const method of METHODS) {
    if (names.includes(method.name)) await method.compute(context, classes);
  }
  context.dispose();
  forward.dispose();
}

function noise(count: number): Tensor {
  const shape = [count, 3, INPUT_SIDE, INPUT_SIDE];
  const rng = createRng(1);
  const length = shape.reduce((a, b) => a * b);
  return floats(shape, Float32Array.from({ length }, () => 200 * rng.uniform() - 100));
}

/** EmoNet with random weights that keep the values' size from layer to layer. */
async function openEmonetShape(): Promise<Classifier> {
  const card: ClassifierCard = {
    name: "emonet-shape",
    task: "classifier",
    file: "emonet-shape.onnx",
    sha256: "0".repeat(64),
    source: "random weights",
    licence: "none",
    input: {
      name: "input",
      width: INPUT_SIDE,
      height: INPUT_SIDE,
      channels: "rgb",
      fit: "stretch",
      resize: "pillow-bicubic",
      scale: 1,
      mean: [0],
      std: [1],
    },
    output: { name: "probabilities" },
    classes: Array.from({ length: CLASSES }, (_, k) => String(k)),
    targetLayer: "conv5",
    placement: "half-pixel",
  };
  const bytes = writeModel(emonetGraph(emonetWeights()));
  return await openClassifier(sourceOf(networkOf(card, bytes)), {
    backend: "native",
    batch: BATCH,
  });
}
