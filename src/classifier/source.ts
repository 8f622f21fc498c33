/**
 * Finding a classifier: by the name of a shipped card, by the path of a card, or as a bare ONNX file.
 *
 * @module
 */

import { basename, join } from "node:path";
import { messageOf, ModelError, UsageError } from "../base/errors.ts";
import { sha256 } from "../base/json.ts";
import { readNpy } from "../base/npy.ts";
import type { Graph } from "../onnx/graph.ts";
import { readModel } from "../onnx/model_file.ts";
import { withScores } from "../onnx/scores.ts";
import { type ClassifierCard, findCard, type Located } from "../runtime/card.ts";
import { type Network, networkOf, readNetwork } from "../runtime/network.ts";
import { takeGraph } from "../runtime/taken_graph.ts";
import { pathFrom } from "../base/files.ts";

/** A classifier's card and files, read and checked. */
export interface ClassifierSource extends Network<ClassifierCard> {
  /** [C, H, W], if the card names one. */
  readonly meanImage?: Float32Array;
  /** Remarks on what had to be assumed. */
  readonly notices: readonly string[];
}

/**
 * Reads the classifier named on the command line: a shipped card's name, the path of a card (`.json`) or of an ONNX file.
 *
 * A bare ONNX file has its sizes taken from the graph, its classes numbered "0", "1", …, values scaled to 0..1, and maps
 * placed by the half-pixel convention that other tools use; `inputShape` [C, H, W] fills in what the graph leaves open.
 *
 * @param base folder from which paths start, instead of the working directory
 * @throws {UsageError} when there is no such card or file, or the card is not a classifier's.
 * @throws {ModelError} when the card or model is malformed, or the file is not the one the card describes.
 */
export async function findClassifier(
  name: string,
  inputShape?: readonly number[],
  base?: string,
): Promise<ClassifierSource> {
  if (name.toLowerCase().endsWith(".onnx")) return await bareClassifier(name, inputShape, base);
  const { card, folder } = await findCard(name, base, "classifier");
  if (card.task !== "classifier") {
    throw new UsageError(
      `Cannot use model ${card.name} as classifier: its card says task ${card.task}; see emocam models list`,
    );
  }
  const located: Located<ClassifierCard> = { card, folder };
  const network = await readNetwork(located);
  const meanImage = await readMeanImage(located);
  return sourceOf(network, [], meanImage);
}

/**
 * A classifier of a network that is read already.
 *
 * @param notices remarks on what had to be assumed
 * @param meanImage [C, H, W], if the card names one
 */
export function sourceOf(
  network: Network<ClassifierCard>,
  notices: readonly string[] = [],
  meanImage?: Float32Array,
): ClassifierSource {
  const { card, bytes, sha256 } = network;
  return {
    card,
    bytes,
    sha256,
    // Parsed when it is first asked for.
    get taken() {
      return network.taken;
    },
    ...(meanImage ? { meanImage } : {}),
    notices,
  };
}

async function readMeanImage(
  { card, folder }: Located<ClassifierCard>,
): Promise<Float32Array | undefined> {
  const { meanImage, channels, width, height } = card.input;
  if (!meanImage) return undefined;
  const refuse = (why: string) =>
    new ModelError(`Cannot use the mean image ${meanImage} of model ${card.name}: ${why}`);
  let image;
  try {
    image = readNpy(await Deno.readFile(join(folder, meanImage)));
  } catch (error) {
    throw refuse(messageOf(error));
  }
  const expected = [channels === "grey" ? 1 : 3, height, width];
  if (image.type !== "float32" || image.shape.join() !== expected.join()) {
    throw refuse(`${image.type} of shape [${image.shape}], not float32 of [${expected}]`);
  }
  return image.data;
}

async function bareClassifier(
  path: string,
  inputShape: readonly number[] | undefined,
  base: string | undefined,
): Promise<ClassifierSource> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(pathFrom(base, path));
  } catch (error) {
    throw new UsageError(`Cannot read classifier ${path}: ${messageOf(error)}`);
  }
  const taken = takeGraph(readModel(bytes, path));
  const { graph, layout } = taken;
  const [channels, height, width] = extents(graph, path, inputShape);
  const { classes } = withScores(graph);
  const hash = sha256(bytes);
  const file = basename(path);
  const card: ClassifierCard = {
    name: file.replace(/\.onnx$/i, "").toLowerCase().replace(/[^a-z0-9._-]+/g, "-")
      .replace(/^[^a-z0-9]+/, "") || "model",
    task: "classifier",
    file,
    sha256: hash,
    source: path,
    licence: "not stated",
    input: {
      name: graph.inputs[0].name,
      width,
      height,
      ...layout === "nhwc" ? { layout } : {},
      channels: channels === 1 ? "grey" : "rgb",
      fit: "stretch",
      resize: "pillow-bicubic",
      scale: 1 / 255,
      mean: [0],
      std: [1],
    },
    output: {},
    classes: Array.from({ length: classes }, (_, k) => String(k)),
    placement: "half-pixel",
  };
  return sourceOf(networkOf(card, bytes, { sha256: hash, taken }), [
    `${file} has no card: classes are numbered, and images are resized to ${width}×${height} and scaled to 0..1`,
  ]);
}

/** [C, H, W] of the only input, from the graph and from what the caller knows. */
function extents(
  graph: Graph,
  path: string,
  known: readonly number[] | undefined,
): [number, number, number] {
  const [input] = graph.inputs;
  if (graph.inputs.length !== 1 || !input) {
    const names = graph.inputs.map(({ name }) => name).join(", ");
    throw new ModelError(
      `Cannot use ${path} as classifier: it has ${graph.inputs.length} inputs (${names}), not one`,
    );
  }
  const shape = input.shape ?? ["N", "C", "H", "W"];
  if (shape.length !== 4) {
    throw new ModelError(
      `Cannot use ${path} as classifier: its input has shape [${shape}], not [N, C, H, W]`,
    );
  }
  const found = [1, 2, 3].map((axis) => {
    const extent = shape[axis];
    return typeof extent === "number" && extent > 0 ? extent : known?.[axis - 1];
  });
  if (found.some((extent) => extent === undefined)) {
    throw new ModelError(
      `Cannot use ${path} without a model card: its input has shape [${shape}]; write a card that states width and height`,
    );
  }
  const [channels, height, width] = found as [number, number, number];
  if (channels !== 1 && channels !== 3) {
    throw new ModelError(
      `Cannot use ${path} as classifier: its input has ${channels} channels, not 1 or 3 (layout is N, C, H, W)`,
    );
  }
  return [channels, height, width];
}
