/**
 * Importing a Darknet detector: cfg, weights and names become an ONNX file and a card.
 *
 * @module
 */

import { basename } from "node:path";
import { messageOf, ModelError, UsageError } from "../../base/errors.ts";
import { type DecodedText, decodeText, tidy } from "../../base/text.ts";
import { writeModel } from "../../onnx/model_file.ts";
import { checkPlace, modelName } from "../model_name.ts";
import { type ImportedModel, writeImported } from "../imported.ts";
import { parseCfg } from "./cfg.ts";
import { darknetGraph } from "./graph.ts";
import { type DarknetNetwork, readNetwork } from "./network.ts";
import { readWeights, type WeightsHeader } from "./weights.ts";
import { defined } from "../../base/defined.ts";

/** What is to be imported, and where to. */
interface DarknetImport {
  /** Path of the cfg file. */
  readonly cfg: string;
  /** Path of the weights file. */
  readonly weights: string;
  /** Path of the file of class names, one a line; without it classes are numbered. */
  readonly names?: string;
  /** The model's name; by default made of the cfg file's. */
  readonly name?: string;
  readonly folder: string;
  /** For the card: where the files are from. */
  readonly source?: string;
  readonly licence?: string;
  readonly citation?: string;
}

/** Longest cfg or names file; published ones have some kilobytes. */
const MAX_TEXT = 4 * 2 ** 20;

/**
 * Imports a detector with YOLO heads. Nothing is written unless everything is in order.
 *
 * The weights lie in memory once as arrays and once as the ONNX file's bytes.
 *
 * @throws {UsageError} when a file is missing, or the name or folder cannot be used.
 * @throws {ModelError} when the files are malformed, unsupported, or do not belong together.
 */
export async function importDarknet(options: DarknetImport): Promise<ImportedModel> {
  const { cfg, weights, names, folder, source, licence, citation } = options;
  const name = modelName(options.name, cfg);
  await checkPlace(
    name,
    folder,
    [".json", ".onnx"],
    [cfg, weights, ...names === undefined ? [] : [names]],
  );
  const origin = basename(cfg);
  const network = readNetwork(parseCfg((await readText(cfg, "cfg")).text, origin), origin);
  const notices = [...network.notices];
  const list = names === undefined ? undefined : await readText(names, "names");
  if (list?.notice !== undefined) notices.push(`${basename(names!)}: ${list.notice}`);
  const classes = list === undefined
    ? Array.from({ length: checkedClasses(network) }, (_, k) => String(k))
    : readNames(list.text, basename(names!), network.classes);
  if (names === undefined) {
    notices.push(`${origin} names no classes: they are numbered; give their names with --names`);
  }
  const seen = new Set<string>();
  const twice = classes.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined) {
    notices.push(
      `${basename(names!)}: ${JSON.stringify(twice)} occurs twice: both classes have one label`,
    );
  }
  const read = await readWeights(weights, network.layers);
  notices.push(...headerNotices(read.header, basename(weights)));
  const graph = darknetGraph(network, read.layers, name);
  return await writeImported({
    folder,
    name,
    card: {
      task: "detector",
      title: `YOLO, ${classes.length} classes (Darknet)`,
      input: {
        name: "input",
        width: network.input.width,
        height: network.input.height,
        channels: "rgb",
        fit: "letterbox",
        resize: "pillow-bicubic",
        scale: 1 / 255,
      },
      classes,
      decoder: { kind: "yolo", profile: "darknet", heads: headsOf(network) },
      source: source ?? `Darknet: ${origin}, ${basename(weights)}`,
      licence: licence ?? "not stated",
      ...defined({ citation }),
    },
    onnx: writeModel(graph),
    notices,
  });
}

/** Numbered classes: as many as the heads have filters for, which the text's length does not bound. */
function checkedClasses({ classes }: DarknetNetwork): number {
  if (classes <= 1e5) return classes;
  throw new ModelError(`Cannot number ${classes} classes; give their names with --names`);
}

function headsOf({ layers }: DarknetNetwork) {
  const heads = [];
  for (const { operation } of layers) {
    if (operation.kind !== "yolo") continue;
    heads.push({ output: `yolo${heads.length}`, anchors: operation.head.anchors });
  }
  return heads;
}

async function readText(path: string, what: "cfg" | "names"): Promise<DecodedText> {
  let bytes: Uint8Array;
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) throw new Error("it is not a file");
    if (size > MAX_TEXT) throw new Error(`it has ${size} bytes, more than any ${what} file`);
    bytes = await Deno.readFile(path);
  } catch (error) {
    throw new UsageError(
      `Cannot read ${what} ${path}: ${messageOf(error)}; give a Darknet .${what} file`,
    );
  }
  try {
    return decodeText(bytes);
  } catch (error) {
    throw new ModelError(
      `Cannot read ${what} ${path}: ${messageOf(error)}; give a Darknet .${what} file`,
    );
  }
}

/** One name a line; empty lines at the end do not count. */
function readNames(text: string, origin: string, classes: number): string[] {
  const names = text.replace(/\s+$/, "").split(/\r\n|\r|\n/).map(tidy);
  const empty = names.indexOf("");
  if (empty >= 0) {
    throw new ModelError(
      `Cannot use names ${origin}: line ${empty + 1} is empty; write one class name on each line`,
    );
  }
  if (names.length !== classes) {
    throw new ModelError(
      `Cannot use names ${origin}: it has ${names.length} names, the cfg ${classes} classes; give the names that belong to the cfg`,
    );
  }
  return names;
}

function headerNotices({ major, minor }: WeightsHeader, origin: string): string[] {
  if (major <= 1000 && minor <= 1000) return [];
  return [
    `${origin}: version ${major}.${minor} marks connected layers as transposed; there are none in this network`,
  ];
}
