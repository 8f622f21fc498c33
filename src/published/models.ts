/**
 * Models whose weights are published elsewhere: where each file lies, under what terms, and how it is imported.
 *
 * @module
 */

import { UsageError } from "../base/errors.ts";

/** A file of a published model. */
export interface PublishedFile {
  /** Its name in the download folder, and on a mirror. */
  readonly name: string;
  readonly url: string;
  /** Its length, where that is known beforehand. */
  readonly bytes?: number;
  /** Its SHA-256, where that is known beforehand. */
  readonly sha256?: string;
}

/** How the files of a model are read. */
type ImportRecipe =
  | {
    readonly kind: "emonet"; /** The file, or none: the whole folder. */
    readonly source?: string;
  }
  | {
    readonly kind: "darknet";
    readonly cfg: string;
    readonly weights: string;
    readonly names: string;
  };

/** A published model. */
export interface PublishedModel {
  /** What it is called by `models fetch` and, once imported, everywhere. */
  readonly name: string;
  /** Its name once imported, where it is another way to get a model of the list. */
  readonly importedAs?: string;
  readonly title: string;
  readonly use: "classifier" | "detector";
  readonly files: readonly PublishedFile[];
  readonly recipe: ImportRecipe;
  readonly source: string;
  readonly licence: string;
  readonly citation: string;
}

/**
 * EmoNet's repository, as its package emonet-py 1.0.8 fetches from it. The branch is not a fixed version: what came first is recorded
 * and checked from then on.
 */
function emonetFile(name: string): PublishedFile {
  const path = encodeURIComponent(`emonet_py/data/${name}`);
  return {
    name,
    url: `https://gitlab.com/api/v4/projects/39472331/repository/files/${path}/raw?ref=master`,
  };
}

const EMONET = {
  use: "classifier",
  source: "https://gitlab.com/EAVISE/lme/emonet (GitLab project 39472331, emonet_py/data)",
  licence: "MIT",
  citation:
    "Kragel, Reddan, LaBar, Wager: Emotion schemas are embedded in the human visual system. Science Advances 5, eaaw4358 (2019). " +
    "PyTorch port: Laurent Mertens, emonet-py",
} as const;

/** The last commit of the Darknet repository's master branch. */
const DARKNET_COMMIT = "f6afaabcdf85f77e7aff2ec55c020c0e297c77f9";

function darknetFile(path: string, bytes: number, sha256?: string): PublishedFile {
  return {
    name: path.split("/").at(-1)!,
    url: `https://raw.githubusercontent.com/pjreddie/darknet/${DARKNET_COMMIT}/${path}`,
    bytes,
    ...(sha256 ? { sha256 } : {}),
  };
}

/** Lengths: 20 bytes of header and four for each number that the layers of the cfg take. */
function darknetModel(
  name: string,
  title: string,
  cfg: PublishedFile,
  names: PublishedFile,
  bytes: number,
  data: string,
): PublishedModel {
  const weights = `${name}.weights`;
  return {
    name,
    title,
    use: "detector",
    files: [
      cfg,
      names,
      { name: weights, url: `https://pjreddie.com/media/files/${weights}`, bytes },
    ],
    recipe: { kind: "darknet", cfg: cfg.name, weights, names: names.name },
    source: "https://pjreddie.com/darknet/yolo/ and https://github.com/pjreddie/darknet",
    licence: "public domain (YOLO licence, version 2)",
    citation:
      `Redmon, Farhadi: YOLOv3: An Incremental Improvement. arXiv 1804.02767 (2018). Trained on ${data}`,
  };
}

const COCO = "COCO: Lin et al., ECCV 2014";
const COCO_NAMES = darknetFile("data/coco.names", 625);

/** Every model that `models fetch` knows. */
export const PUBLISHED: readonly PublishedModel[] = [
  {
    name: "emonet",
    title: "EmoNet, 20 emotions of a whole picture, valence and arousal",
    files: ["emonet.pth", "img_mean.txt"].map(emonetFile),
    recipe: { kind: "emonet", source: "emonet.pth" },
    ...EMONET,
  },
  {
    name: "emonet-matlab",
    importedAs: "emonet",
    title: "the same weights as MATLAB exported them, as text",
    files: [
      ...["conv1", "conv2", "conv3", "conv4", "conv5", "fc1", "fc2", "fc3"].flatMap((layer) =>
        ["weights", "bias"].map((part) => emonetFile(`${layer}.${part}.txt.bz2`))
      ),
      emonetFile("img_mean.txt"),
    ],
    recipe: { kind: "emonet" },
    ...EMONET,
  },
  darknetModel(
    "yolov3-openimages",
    "YOLOv3 with the 601 classes of Open Images",
    darknetFile(
      "cfg/yolov3-openimages.cfg",
      8346,
      "ec8bb5ccff5ad0ca9972bfbb0b6cc289844ce0fa24a079cb52dc5c24f683cb1e",
    ),
    darknetFile(
      "data/openimages.names",
      5476,
      "44cdd34ebe5b46440b6ec5d0978f292def7b57c7cea049f3d4fe79ed88d40664",
    ),
    259229388,
    "Open Images: Kuznetsova et al., IJCV 128 (2020)",
  ),
  darknetModel(
    "yolov3",
    "YOLOv3 with the 80 classes of COCO",
    darknetFile(
      "cfg/yolov3.cfg",
      8342,
      "22489ea38575dfa36c67a90048e8759576416a79d32dc11e15d2217777b9a953",
    ),
    COCO_NAMES,
    248007048,
    COCO,
  ),
  darknetModel(
    "yolov3-tiny",
    "the small and fast YOLOv3, 80 classes of COCO",
    darknetFile(
      "cfg/yolov3-tiny.cfg",
      1915,
      "84eb7a675ef87c906019ff5a6e0effe275d175adb75100dcb47f0727917dc2c7",
    ),
    COCO_NAMES,
    35434956,
    COCO,
  ),
  darknetModel(
    "yolov3-spp",
    "YOLOv3 with spatial pyramid pooling, 80 classes of COCO",
    darknetFile(
      "cfg/yolov3-spp.cfg",
      8606,
      "7a4ec2d7427340fb12059f2b0ef76d6fcfcac132cc287cbbf0be5e3abaa856fd",
    ),
    COCO_NAMES,
    252209544,
    COCO,
  ),
];

/** @throws {UsageError} naming the models that there are. */
export function findPublished(name: string): PublishedModel {
  const model = PUBLISHED.find((model) => model.name === name);
  if (model) return model;
  throw new UsageError(
    `Cannot fetch model ${JSON.stringify(name)}: the published models known are ${
      PUBLISHED.map(({ name }) => name).join(", ")
    }; import others with emocam models import`,
  );
}
