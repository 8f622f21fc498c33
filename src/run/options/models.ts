/**
 * Options that choose images and models.
 *
 * @module
 */

import { distinct, number, oneOf, text } from "./kinds.ts";
import { type CommandName, PRESETS, rows } from "./row.ts";

const EXPLAINING = ["analyze", "explain", "check"] as const satisfies readonly CommandName[];
const DETECTING = [...EXPLAINING, "detect"] as const satisfies readonly CommandName[];
const YOLO = { says: "with YOLO detectors" } as const;
const BOX_FILES = { says: "with files of boxes" } as const;

/** Options that choose images and models. */
export const MODEL_OPTIONS = rows(
  {
    name: "classifier",
    commands: EXPLAINING,
    group: "Images and models",
    value: text("name"),
    default: "mini-xception",
    help: "shipped or imported model, model card (.json) or ONNX file",
    noun: "classifier",
    decides: "results",
    several: ["analyze"],
    presets: { paper: "emonet" },
  },
  {
    name: "detector",
    commands: DETECTING,
    group: "Images and models",
    value: text("name"),
    default: "face-parts",
    help:
      "shipped or imported detector, card, or boxes made elsewhere (CSV, COCO JSON, YOLO folder)",
    noun: "detector",
    decides: "results",
    several: ["analyze"],
    presets: { paper: "yolov3-openimages" },
  },
  {
    name: "samples",
    commands: EXPLAINING,
    group: "Images and models",
    value: oneOf("kind", ["image", "faces"]),
    help: "what the classifier sees; by default as its card says",
    noun: "samples",
    decides: "results",
    presets: { paper: "image" },
  },
  {
    name: "orientation",
    commands: DETECTING,
    group: "Images and models",
    value: oneOf("rule", ["exif", "stored"]),
    default: "exif",
    help: "turn pictures upright (exif) or take them as stored",
    noun: "orientation of pictures",
    decides: "results",
    presets: { paper: "stored" },
  },
  {
    name: "layer",
    commands: EXPLAINING,
    group: "Images and models",
    value: distinct("tensors", "layer"),
    help: "target layer, instead of the card's; several, separated by commas, are fused",
    noun: "target layer",
    decides: "results",
  },
  {
    name: "profile",
    commands: DETECTING,
    group: "Images and models",
    value: oneOf("name", ["darknet", "lightnet"]),
    help:
      "how the heads are read: as darknet or as lightnet (the paper) does; by default as the card says",
    noun: "profile of the detector",
    decides: "results",
    when: YOLO,
    presets: { paper: "lightnet" },
    presetWhere: "used",
  },
  {
    name: "confidence",
    commands: DETECTING,
    group: "Images and models",
    value: number("c", { min: 0, max: 1 }),
    help: "boxes must exceed this confidence; by default .25 (darknet), .005 (lightnet)",
    noun: "least confidence of the detector",
    decides: "results",
    when: YOLO,
  },
  {
    name: "nms",
    commands: DETECTING,
    group: "Images and models",
    value: number("t", { min: 0, max: 1 }),
    help: "IoU above which the lower-scoring box of a label is suppressed (NMS); " +
      "by default .45 (darknet), .005 (lightnet)",
    noun: "overlap of the detector's boxes",
    decides: "results",
    when: YOLO,
  },
  {
    name: "units",
    commands: DETECTING,
    group: "Images and models",
    value: oneOf("unit", ["pixels", "fractions", "percent"]),
    help:
      "unit of corners (fractions or percent of the picture's width and height); by default as the file says",
    noun: "unit of the boxes",
    decides: "results",
    when: BOX_FILES,
  },
  {
    name: "groups",
    commands: DETECTING,
    group: "Images and models",
    value: oneOf("rule", ["keep", "leave-out"]),
    help: "boxes of crowds (COCO's iscrowd) and groups (Open Images' IsGroupOf); by default kept",
    noun: "boxes of crowds and groups",
    decides: "results",
    when: BOX_FILES,
  },
  {
    name: "preset",
    commands: ["analyze"],
    group: "Images and models",
    value: oneOf("name", PRESETS),
    help: "a set of option values: paper is the published procedure",
    noun: "preset",
    decides: "results",
  },
  {
    name: "corpus",
    commands: ["analyze"],
    group: "Images and models",
    value: text("name=path"),
    help: "a named corpus; each is analysed by itself",
    noun: "corpora",
    decides: "images",
    several: ["analyze"],
  },
  {
    name: "labels",
    commands: ["analyze"],
    group: "Images and models",
    value: oneOf("rule", ["folders"]),
    help: "in folders, an image's first sub-folder is its annotation `label`",
    noun: "where annotations come from",
    decides: "results",
  },
  {
    name: "limit",
    commands: ["analyze"],
    group: "Images and models",
    value: number("n", { min: 1, integer: true }),
    help: "only the first n images, by path",
    noun: "number of images",
    decides: "images",
  },
);
