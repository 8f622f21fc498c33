/** Classifiers made of a few nodes, for tests of what a whole classifier does. */

import type { Classifier } from "../../src/classifier/classifier.ts";
import { openClassifier } from "../../src/classifier/open.ts";
import type { GraphBuilder, Shape } from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import type { ClassifierCard } from "../../src/runtime/card.ts";
import { netOn, output } from "../onnx/native.ts";
import { networkOf } from "../../src/runtime/network.ts";
import { sourceOf } from "../../src/classifier/source.ts";

/** What is made. */
export interface MadeClassifier {
  /** The input's shape, [N, 1 or 3, H, W]; a number for N fixes the batch. */
  readonly input: Shape;
  /** Builds from the input "x" to the logits [N, classes]. */
  readonly net: (b: GraphBuilder) => string;
  /** The target layer; made by `put`, so that it has a name. */
  readonly layer: string;
  readonly batch?: number;
}

/** Opens a classifier on the native backend. */
export async function makeClassifier(
  { input, net, layer, batch = 2 }: MadeClassifier,
): Promise<Classifier> {
  const b = netOn(input);
  const logits = net(b);
  const classes = b.shape(logits)[1] as number;
  const [, channels, height, width] = input as [unknown, number, number, number];
  const card: ClassifierCard = {
    name: "made",
    task: "classifier",
    file: "made.onnx",
    sha256: "",
    source: "made",
    licence: "none",
    input: {
      name: "x",
      width,
      height,
      channels: channels === 1 ? "grey" : "rgb",
      fit: "stretch",
      resize: "pillow-bicubic",
      scale: 1,
      mean: [0],
      std: [1],
    },
    output: {},
    classes: Array.from({ length: classes }, (_, k) => String(k)),
    placement: "half-pixel",
  };
  const bytes = writeModel(output(b, logits));
  return await openClassifier(sourceOf(networkOf(card, bytes)), {
    backend: "native",
    batch,
    layer,
  });
}
