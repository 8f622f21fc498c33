/**
 * The paper's two networks at their full size, with weights from a seed: EmoNet, and YOLOv3 with 601 classes at 608 × 608 by way of its
 * Darknet files.
 *
 * @module
 */

import { join } from "node:path";
import { createRng } from "../src/base/rng.ts";
import { writeNpy } from "../src/base/npy.ts";
import { floats, type Tensor } from "../src/base/tensor.ts";
import { decodeImage } from "../src/image/decode.ts";
import { letterbox } from "../src/image/letterbox.ts";
import { importDarknet } from "../src/importers/darknet/import.ts";
import { parseCfg } from "../src/importers/darknet/cfg.ts";
import { type DarknetLayer, weightCounts } from "../src/importers/darknet/layer.ts";
import { readNetwork } from "../src/importers/darknet/network.ts";
import { emonetCard } from "../src/importers/emonet/card.ts";
import { CLASSES, INPUT_SIDE, shapesFor } from "../src/importers/emonet/geometry.ts";
import { emonetGraph } from "../src/importers/emonet/graph.ts";
import { writeImported } from "../src/importers/imported.ts";
import { foldBatchNorms } from "../src/onnx/fold_batch_norm.ts";
import { readModel, writeModel, writeModelParts } from "../src/onnx/model_file.ts";
import { toFloats } from "../src/runtime/session.ts";
import { openSession } from "../src/runtime/open.ts";

/** Channels of EmoNet's layers. */
const EMONET_CHANNELS = new Map([
  ["conv1", 96],
  ["conv2", 256],
  ["conv3", 384],
  ["conv4", 384],
  ["conv5", 256],
  ["fc1", 4096],
  ["fc2", 4096],
  ["fc3", CLASSES],
]);

/**
 * 57 million weights that keep the values' size from layer to layer, and a last layer that brings the logits of pictures down to a few
 * units, as a trained network's are.
 */
export function emonetWeights(): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [key, shape] of shapesFor(EMONET_CHANNELS, "the benchmark's network")) {
    const rng = createRng(2).split(key);
    const length = shape.reduce((a, b) => a * b);
    const [, ...fan] = shape;
    const range = fan.length === 0 ? 0 : Math.sqrt(6 / fan.reduce((a, b) => a * b));
    const data = Float32Array.from({ length }, () => (2 * rng.uniform() - 1) * range);
    const size = key === "fc3.weight" ? 0.05 : 1;
    tensors.set(key, floats([...shape], data.map((weight) => weight * size)));
  }
  return tensors;
}

/** Writes EmoNet into a folder, as an import leaves it. */
export async function writeEmonet(folder: string): Promise<void> {
  const mean = floats([3, INPUT_SIDE, INPUT_SIDE], new Float32Array(3 * INPUT_SIDE ** 2).fill(115));
  await writeImported({
    folder,
    name: "emonet",
    card: emonetCard("emonet.mean.npy", "random weights"),
    onnx: writeModelParts(emonetGraph(emonetWeights())),
    extra: [{ name: "emonet.mean.npy", bytes: writeNpy(mean) }],
  });
}

const SIDE = 608, OBJECT_CLASSES = 601;
const ANCHORS = "10,13, 16,30, 33,23, 30,61, 62,45, 59,119, 116,90, 156,198, 373,326";

/** YOLOv3 as a cfg: Darknet-53 and three heads (Redmon and Farhadi, arXiv 1804.02767, Table 1 and section 2.3). */
export function yoloCfg(): string {
  const sections = [`[net]\nwidth=${SIDE}\nheight=${SIDE}\nchannels=3`];
  const conv = (filters: number, size: number, stride = 1) =>
    sections.push(
      "[convolutional]\nbatch_normalize=1\n" +
        `filters=${filters}\nsize=${size}\nstride=${stride}\npad=1\nactivation=leaky`,
    );
  const head = (filters: number, masks: string) => {
    for (let i = 0; i < 3; i++) {
      conv(filters, 1);
      conv(2 * filters, 3);
    }
    sections.push(
      `[convolutional]\nfilters=${
        3 * (5 + OBJECT_CLASSES)
      }\nsize=1\nstride=1\npad=1\nactivation=linear`,
      `[yolo]\nmask=${masks}\nanchors=${ANCHORS}\nclasses=${OBJECT_CLASSES}\nnum=9`,
    );
  };
  const climb = (filters: number, layer: number) => {
    sections.push("[route]\nlayers=-4");
    conv(filters, 1);
    sections.push("[upsample]\nstride=2", `[route]\nlayers=-1,${layer}`);
  };
  conv(32, 3);
  for (const [filters, blocks] of [[64, 1], [128, 2], [256, 8], [512, 8], [1024, 4]] as const) {
    conv(filters, 3, 2);
    for (let block = 0; block < blocks; block++) {
      conv(filters / 2, 1);
      conv(filters, 3);
      sections.push("[shortcut]\nfrom=-3\nactivation=linear");
    }
  }
  head(512, "6,7,8");
  climb(256, 61);
  head(256, "3,4,5");
  climb(128, 36);
  head(128, "0,1,2");
  return sections.join("\n\n") + "\n";
}

/** Weights of a convolution, as its section of the file has them. */
interface Section {
  /** Biases; with a batch norm, then scales, means and variances. */
  readonly vectors: readonly Float32Array[];
  readonly weights: Float32Array;
  readonly isHead: boolean;
}

/**
 * Writes YOLOv3 with 601 classes into a folder through the Darknet importer. Its last layers are set by what they give for some pictures,
 * so that boxes of many classes are found, some tens an image at the paper's thresholds, as with trained weights.
 *
 * @param labels names of the first classes
 */
export async function writeYolo(
  folder: string,
  labels: readonly string[],
  pictures: readonly string[],
): Promise<void> {
  const work = await Deno.makeTempDir({ prefix: "emocam-bench-" });
  try {
    const [cfg, weights, names] = ["yolo.cfg", "yolo.weights", "yolo.names"]
      .map((name) => join(work, name)) as [string, string, string];
    await Deno.writeTextFile(cfg, yoloCfg());
    const classes = Array.from(
      { length: OBJECT_CLASSES },
      (_, k) => labels[k] ?? `Object ${k + 1}`,
    );
    await Deno.writeTextFile(names, classes.join("\n") + "\n");
    const { layers } = readNetwork(parseCfg(yoloCfg(), "yolo.cfg"), "yolo.cfg");
    const sections = randomSections(layers);
    await writeWeights(weights, sections);
    const raw = await importDarknet({ cfg, weights, folder: work, name: "raw" });
    await calibrate(sections.filter(({ isHead }) => isHead), raw.file, pictures);
    await writeWeights(weights, sections);
    const source = "random weights";
    await importDarknet({ cfg, weights, names, folder, name: "yolov3-openimages", source });
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

function randomSections(layers: readonly DarknetLayer[]): Section[] {
  return layers.flatMap((layer, i): Section[] => {
    const { operation, input } = layer;
    if (operation.kind !== "convolutional") return [];
    const { filters, weights: length } = weightCounts(layer)!;
    const rng = createRng(3).split(i);
    const range = Math.sqrt(6 / (input.channels * operation.size ** 2));
    const weights = Float32Array.from({ length }, () => (2 * rng.uniform() - 1) * range);
    const constant = (value: number) => new Float32Array(filters).fill(value);
    const isHead = !operation.batchNormalize;
    if (isHead) return [{ vectors: [constant(0)], weights, isHead }];
    // What a shortcut adds is small, or 23 of them would make the values large.
    const scale = layers[i + 1]?.operation.kind === "shortcut" ? 0.3 : 1;
    const vectors = [constant(0), constant(scale), constant(0), constant(1)];
    return [{ vectors, weights, isHead }];
  });
}

async function writeWeights(path: string, sections: readonly Section[]): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const write = async (data: ArrayBufferView) => {
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  };
  // Version 0.2, and no images seen.
  await write(Int32Array.of(0, 2, 0, 0, 0));
  for (const { vectors, weights } of sections) {
    for (const vector of vectors) await write(vector);
    await write(weights);
  }
}

/** What a head's channel shall give over an image: one of its quantiles has this value, and values spread this far. */
interface Wanted {
  readonly quantile: number;
  readonly value: number;
  readonly spread: number;
}

/** x, y, width and height; objectness, which few places are sure of; classes, of which some are likelier everywhere. */
function wanted(channel: number, seed: number): Wanted {
  const part = channel % (5 + OBJECT_CLASSES);
  if (part < 4) return { quantile: 0.5, value: 0, spread: 0.5 };
  if (part === 4) return { quantile: 0.997, value: -3, spread: 2.5 };
  return { quantile: 0.5, value: 1.5 * createRng(seed).split(channel).normal(), spread: 1.5 };
}

/** Scales and shifts the heads' channels by what they give for some pictures. */
async function calibrate(
  heads: readonly Section[],
  model: string,
  pictures: readonly string[],
): Promise<void> {
  const graph = foldBatchNorms(readModel(await Deno.readFile(model), "the benchmark"), "onnx");
  const session = await openSession(writeModel(graph), "native");
  const names = heads.map((_, k) => `yolo${k}`);
  const logits: Tensor[][] = heads.map(() => []);
  try {
    for (const picture of pictures) {
      const input = floats([1, 3, SIDE, SIDE], await planesOf(picture));
      const outputs = await session.run({ input }, names);
      for (const [k, name] of names.entries()) logits[k]!.push(await toFloats(outputs[name]!));
    }
  } finally {
    await session.dispose();
  }
  for (const [k, { vectors: [biases], weights }] of heads.entries()) {
    const fan = weights.length / biases!.length;
    for (let channel = 0; channel < biases!.length; channel++) {
      const values = valuesOf(logits[k]!, channel);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
      const { quantile, value, spread } = wanted(channel, 4 + k);
      const factor = spread / Math.sqrt(variance + 1e-12);
      for (let i = channel * fan; i < (channel + 1) * fan; i++) weights[i]! *= factor;
      const place = Math.floor(quantile * (values.length - 1));
      biases![channel] = value - factor * values.toSorted()[place]!;
    }
  }
}

/** A picture in the paper's letterbox, [3, SIDE, SIDE], 0…1. */
async function planesOf(file: string): Promise<Float32Array> {
  const { data } = letterbox(await decodeImage(await Deno.readFile(file)), SIDE, SIDE);
  const size = SIDE * SIDE;
  return Float32Array.from(
    { length: 3 * size },
    (_, i) => data[(i % size) * 3 + Math.floor(i / size)]! / 255,
  );
}

/** A channel's values in all pictures. */
function valuesOf(logits: readonly Tensor[], channel: number): Float32Array {
  const cells = logits[0]!.shape[2]! * logits[0]!.shape[3]!;
  const values = new Float32Array(cells * logits.length);
  logits.forEach(({ data }, i) =>
    values.set(data.subarray(channel * cells, (channel + 1) * cells) as Float32Array, i * cells)
  );
  return values;
}
