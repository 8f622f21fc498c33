/**
 * The nets that ship with emocam: where their weights come from, how they become ONNX graphs, and their cards.
 *
 * A net to be added is one entry here; `deno task models` writes its file and card.
 *
 * @module
 */

import { ModelError } from "../../src/base/errors.ts";
import type { Json } from "../../src/base/json.ts";
import type { Graph } from "../../src/onnx/graph.ts";
import { faceExpressionNet, faceLandmarkNet, tinyFaceNet } from "./face_api.ts";
import { tfjsGraph } from "./tfjs/graph.ts";
import type { TfjsModel } from "./tfjs/model.ts";
import { type ManifestGroup, readTfjsWeights, type TfjsWeight } from "./tfjs/weights.ts";

/** A file of an npm package. */
export interface SourceFile {
  readonly path: string;
  readonly sha256: string;
}

/** An npm package at one version. */
export interface SourcePackage {
  readonly name: string;
  readonly version: string;
}

/** How one shipped net is made. */
export interface NetRecipe {
  readonly name: string;
  readonly from: SourcePackage;
  /** The manifest or model file first, then its weights. */
  readonly files: readonly [SourceFile, SourceFile];
  /** Builds the graph from the bytes of the two files. @throws {ModelError} */
  build(manifest: Uint8Array, weights: Uint8Array): Graph;
  /** The card without `name`, `file`, `sha256` and `bytes`, which are added. */
  readonly card: Readonly<Record<string, Json>>;
}

const FACE_API: SourcePackage = { name: "@vladmandic/face-api", version: "1.7.15" };
const HUMAN: SourcePackage = { name: "@vladmandic/human", version: "3.3.6" };

const FACE_API_LICENCE =
  "MIT (Copyright (c) 2018 Vincent Mühler; Copyright (c) Vladimir Mandic); models/LICENCES.md";
const HUMAN_LICENCE =
  "MIT (Copyright (c) 2017 Octavio [Arriaga]; Copyright (c) Vladimir Mandic); models/LICENCES.md";

/** face-api normalises with (x - mean) / 255; a card subtracts after scaling. */
const per255 = (values: readonly number[]): number[] => values.map((value) => value / 255);

/** Input of the expression and landmark nets. */
const FACE_INPUT = {
  name: "input",
  width: 112,
  height: 112,
  channels: "rgb",
  fit: "pad-centre",
  resize: "bilinear-asymmetric",
  scale: 1 / 255,
  mean: per255([122.782, 117.001, 104.298]),
  std: [1, 1, 1],
};

function parse<T>(bytes: Uint8Array, file: string): T {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T;
  } catch {
    throw new ModelError(`Cannot import ${file}: it is not JSON`);
  }
}

/** Reads a manifest with one binary file and hands its weights to the architecture. */
function fromManifest(net: (weights: ReadonlyMap<string, TfjsWeight>) => Graph) {
  return (manifest: Uint8Array, weights: Uint8Array): Graph => {
    const groups = parse<ManifestGroup[]>(manifest, "the weights manifest");
    return net(readTfjsWeights(groups, filesOf(groups, weights)));
  };
}

/** The one binary file under the path its manifest gives it. @throws {ModelError} when there are several. */
function filesOf(groups: readonly ManifestGroup[], bytes: Uint8Array): Map<string, Uint8Array> {
  const paths = new Set(groups.flatMap((group) => group.paths));
  if (groups.length !== 1 || paths.size !== 1) {
    throw new ModelError(`Cannot import the weights: ${paths.size} files, expected one`);
  }
  return new Map([...paths].map((path) => [path, bytes]));
}

/** The nets, in the order in which they are built. */
export const NETS: readonly NetRecipe[] = [
  {
    name: "tiny-face",
    from: FACE_API,
    files: [
      {
        path: "model/tiny_face_detector_model-weights_manifest.json",
        sha256: "5d1af4849ac48d5b985f4a9b16010c512353ddd6fcc63d50fd0bc9e9e64296e5",
      },
      {
        path: "model/tiny_face_detector_model.bin",
        sha256: "b7503ce7df31039b1c43316a9b865cab6a70dd748cc602d3fa28b551503c3871",
      },
    ],
    build: fromManifest(tinyFaceNet),
    card: {
      task: "faces",
      title: "Tiny face detector",
      input: {
        name: "input",
        width: 416,
        height: 416,
        channels: "rgb",
        fit: "pad-end",
        resize: "bilinear-asymmetric",
        scale: 1 / 255,
        mean: per255([117.001, 114.697, 97.404]),
        std: [1, 1, 1],
      },
      output: { name: "grid" },
      classes: ["Human face"],
      decoder: {
        kind: "tiny-face",
        sizes: [416, 512, 608],
        anchors: [
          [1.603231, 2.094468],
          [6.041143, 7.080126],
          [2.882459, 3.518061],
          [4.266906, 5.178857],
          [9.041765, 10.66308],
        ],
        scoreThreshold: 0.3,
        iouThreshold: 0.4,
        mergeThreshold: 0.4,
      },
      licence: FACE_API_LICENCE,
      note: "The side of the input is free, in multiples of 32; the decoder says which are run.",
    },
  },
  {
    name: "face-landmarks",
    from: FACE_API,
    files: [
      {
        path: "model/face_landmark_68_model-weights_manifest.json",
        sha256: "ca4886639f86e99b39fed0c155f81b63317225773bd9616716e887b0153389c9",
      },
      {
        path: "model/face_landmark_68_model.bin",
        sha256: "4611ef65c87d836d03d684b30eec4d195d8b219fa1dd58fc58945831c6b9299b",
      },
    ],
    build: fromManifest(faceLandmarkNet),
    card: {
      task: "landmarks",
      title: "68 landmarks of a face",
      input: FACE_INPUT,
      output: { name: "landmarks" },
      decoder: { kind: "face-landmarks" },
      licence: FACE_API_LICENCE,
      note: "Its crop is the face's box, padded with black to a centred square.",
    },
  },
  {
    name: "mini-xception",
    from: HUMAN,
    files: [
      {
        path: "models/emotion.json",
        sha256: "56f7e557eb0c863a8b9ab04ac7ccba756e93bf2c27dce135ef0e8712b80b7ad2",
      },
      {
        path: "models/emotion.bin",
        sha256: "927ac8224f356ab1e68c2bcfbfa07b0c8567047d1bcf817388ba6e38214c4987",
      },
    ],
    build(manifest, weights) {
      const model = parse<TfjsModel>(manifest, "models/emotion.json");
      const files = filesOf(model.weightsManifest, weights);
      const path = "StatefulPartitionedCall/model_1";
      return tfjsGraph(model, readTfjsWeights(model.weightsManifest, files), {
        name: "mini-xception",
        tensors: {
          [`${path}/conv2d_5/BiasAdd`]: "maps",
          [`${path}/global_average_pooling2d_1/Mean`]: "logits",
          "Identity": "probabilities",
        },
        outputs: [`${path}/global_average_pooling2d_1/Mean`, "Identity"],
      });
    },
    card: {
      task: "classifier",
      title: "mini-Xception, seven facial expressions (FER2013)",
      input: {
        name: "input",
        width: 64,
        height: 64,
        channels: "grey",
        fit: "stretch",
        resize: "pillow-bilinear",
        scale: 1 / 255,
        mean: [0.5],
        std: [0.5],
      },
      output: { name: "probabilities", kind: "probabilities", logits: "logits" },
      classes: ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"],
      targetLayer: "maps",
      placement: "receptive-field",
      crop: { around: "landmarks", scale: 1.2 },
      licence: HUMAN_LICENCE,
      citation:
        "Arriaga, Valdenegro-Toro, Plöger: Real-time Convolutional Neural Networks for Emotion and Gender Classification (arXiv 1710.07557)",
      note:
        "Its target tensor holds one map per class before global average pooling, so CAM is exact. It tends to fear and neutral for glasses, strong light and looking down.",
    },
  },
  {
    name: "face-expression",
    from: FACE_API,
    files: [
      {
        path: "model/face_expression_model-weights_manifest.json",
        sha256: "5b349c17c7836da506e03422cd6461c74085d8bb2713ad4114647dc5d28174c8",
      },
      {
        path: "model/face_expression_model.bin",
        sha256: "9a9840f2cf1f4c7eab95f197512569345c00d2426754d4608b92af30e0300f3d",
      },
    ],
    build: fromManifest(faceExpressionNet),
    card: {
      task: "classifier",
      title: "face-api's expression net, seven facial expressions",
      input: FACE_INPUT,
      output: { name: "probabilities", kind: "probabilities", logits: "logits" },
      classes: ["neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised"],
      targetLayer: "features",
      placement: "receptive-field",
      crop: { around: "landmarks", scale: 1.2 },
      licence: FACE_API_LICENCE,
      note:
        "It classifies well, but its last-layer CAM is not faithful: the CAM of a mirrored face is not the mirrored CAM. Its receptive field covers the whole input.",
    },
  },
];

/** A recipe's card once its file is known, as JSON text. */
export function cardText(recipe: NetRecipe, file: { sha256: string; bytes: number }): string {
  const { name, from, files, card } = recipe;
  const { task, title, licence, citation, note, ...rest } = card;
  const source = `npm ${from.name} ${from.version}, ${files.map(({ path }) => path).join(" and ")}`;
  const full: Record<string, Json | undefined> = {
    name,
    task: task!,
    title: title!,
    file: `${name}.onnx`,
    ...file,
    ...rest,
    source,
    licence: licence!,
    citation,
    note,
  };
  return JSON.stringify(full, null, 2) + "\n";
}
