/**
 * Importing an ONNX model as it comes from an exporter: checked, copied into a model folder, with a card.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { messageOf, ModelError, UsageError } from "../../base/errors.ts";
import { sha256 } from "../../base/json.ts";
import { readNpy } from "../../base/npy.ts";
import { decodeUnicode, TextError } from "../../base/text.ts";
import { findLayer } from "../../classifier/geometry.ts";
import { readScores } from "../../classifier/read_scores.ts";
import { findClassifier } from "../../classifier/source.ts";
import { unsupportedOps } from "../../onnx/backward.ts";
import { checkGraph } from "../../onnx/check.ts";
import type { Graph } from "../../onnx/graph.ts";
import { readModel } from "../../onnx/model_file.ts";
import { inferShapes } from "../../onnx/shapes.ts";
import { GRADIENT_RULES } from "../../rules/gradient/mod.ts";
import { type Card, type ClassifierCard, parseCard } from "../../runtime/card.ts";
import { takeGraph } from "../../runtime/taken_graph.ts";
import { checkPlace, modelName } from "../model_name.ts";
import { type ImportedModel, writeImported } from "../imported.ts";

/** How an ONNX model is to be imported. */
export interface OnnxImport {
  /** Path of its card; without it the model is taken as a classifier, with numbered classes and inputs of 0..1. */
  readonly card?: string;
  /** The model's name; by default the card's, or made of the file's. */
  readonly name?: string;
  readonly folder: string;
}

/** The operator sets of which all rules are known to mean what they say. */
const OLDEST = 9, NEWEST = 21;

/** Fields of a card that follow from the file. */
const DERIVED = ["name", "file", "sha256", "bytes"] as const;

/**
 * Imports a model. Nothing is written unless its graph is sound and fits its card: of a classifier the input, the scores, the
 * number of classes and the target layer; of a detector the input and outputs.
 *
 * A card that is given need not state `name`, `file`, `sha256` and `bytes`; a mean image that it names is copied too.
 *
 * @throws {UsageError} when a file is missing, or the name, the folder or the card's target layer cannot be used.
 * @throws {ModelError} when the model or card is malformed or they do not fit each other.
 */
export async function importOnnx(file: string, options: OnnxImport): Promise<ImportedModel> {
  const bytes = await readBytes(file, "model");
  const source = wellFormed(bytes, file);
  const given = options.card === undefined ? undefined : await readCard(options.card, bytes);
  const stated = options.name ?? given?.["name"];
  const name = modelName(stated === undefined ? undefined : String(stated), file);
  // The model itself is copied as it is: it may be there already.
  await checkPlace(
    name,
    options.folder,
    [".json", ".mean.npy"],
    options.card === undefined ? [] : [options.card],
  );
  const { fields, notices: assumptions } = given
    ? { fields: given, notices: [] }
    : await assumed(file);
  const parts = {
    source: basename(file),
    licence: "not stated",
    ...Object.fromEntries(
      Object.entries(fields).filter(([key]) => !(DERIVED as readonly string[]).includes(key)),
    ),
  };
  const derived = { name, file: `${name}.onnx`, sha256: sha256(bytes), bytes: bytes.length };
  const origin = options.card ?? file;
  const card = parseCard(JSON.stringify({ ...parts, ...derived }), basename(origin));
  const { graph, layout, notices: remarks } = takeGraph(source, card.input?.layout);
  const classifier = card.task === "classifier" ? checkClassifier(graph, card) : undefined;
  if (card.task !== "classifier") checkOutputs(graph, card);
  const checked: Record<string, unknown> = classifier
    ? { ...parts, targetLayer: classifier.targetLayer }
    : { ...parts };
  if (layout === "nhwc") checked["input"] = { ...checked["input"] as object, layout };
  const mean = card.input?.meanImage;
  const extra = [];
  if (mean !== undefined && card.input) {
    extra.push({ name: `${name}.mean.npy`, bytes: await readMean(origin, card.input, mean) });
    checked["input"] = { ...checked["input"] as object, meanImage: `${name}.mean.npy` };
  }
  return await writeImported({
    folder: options.folder,
    name,
    card: checked,
    onnx: bytes,
    extra,
    notices: [...assumptions, ...remarks, ...classifier?.notices ?? []],
  });
}

async function readBytes(path: string, what: string): Promise<Uint8Array> {
  try {
    // A pipe would block when it is opened.
    if (!(await Deno.stat(path)).isFile) throw new Error("it is not a file");
    return await Deno.readFile(path);
  } catch (error) {
    throw new UsageError(`Cannot read ${what} ${path}: ${messageOf(error)}; give another file`);
  }
}

/** The graph, checked. What a damaged file makes the reader stumble over is a damaged file. */
function wellFormed(bytes: Uint8Array, file: string): Graph {
  try {
    const graph = readModel(bytes, file);
    if (graph.opset < OLDEST || graph.opset > NEWEST) {
      throw new ModelError(
        `Cannot import ${file}: operator set ${graph.opset}, not ${OLDEST} to ${NEWEST}; export it again with one of these`,
      );
    }
    checkGraph(graph);
    inferShapes(graph);
    return graph;
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(
      `Cannot read the ONNX model ${file}: malformed (${messageOf(error)}); export it again`,
    );
  }
}

/** A user's card, of which the fields that follow from the file may be missing but not wrong. */
async function readCard(path: string, model: Uint8Array): Promise<Record<string, unknown>> {
  const bytes = await readBytes(path, "model card");
  let card: unknown;
  try {
    card = JSON.parse(decodeUnicode(bytes));
  } catch (error) {
    throw new ModelError(
      error instanceof TextError
        ? `Cannot read model card ${path}: ${error.message}`
        : `Cannot read model card ${path}: not JSON (${messageOf(error)})`,
    );
  }
  if (typeof card !== "object" || card === null || Array.isArray(card)) {
    throw new ModelError(
      `Cannot read model card ${path}: it is not a JSON object; see models/README.md`,
    );
  }
  const fields = card as Record<string, unknown>;
  const hash = sha256(model);
  if (fields["sha256"] !== undefined && fields["sha256"] !== hash) {
    throw new ModelError(
      `Cannot import with card ${path}: it says sha256 ${
        fields["sha256"]
      }, the file has ${hash}; give the file's own card, or ` +
        "remove sha256 from it",
    );
  }
  return fields;
}

/** The card of a classifier about which nothing is known but its graph, with a remark on what is assumed. */
async function assumed(
  file: string,
): Promise<{ fields: Record<string, unknown>; notices: readonly string[] }> {
  const { card } = await findClassifier(file);
  const { width, height } = card.input;
  return {
    fields: { ...card, source: basename(file) },
    notices: [
      `no card was given: classes are numbered, images are resized to ${width}×${height} and scaled to 0..1; edit the card if that ` +
      "is wrong",
    ],
  };
}

/** Checks a classifier against its card; gives the name of its target layer, and remarks. */
function checkClassifier(
  source: Graph,
  card: ClassifierCard,
): { targetLayer: string; notices: readonly string[] } {
  const { scored, notices } = readScores(source, card, 1);
  const score = scored.logits ?? scored.probabilities;
  const { layer, notices: chosen } = findLayer(scored.graph, score, card.targetLayer);
  const [without] = unsupportedOps(scored.graph, layer.name, score, GRADIENT_RULES);
  const remarks = without
    ? [
      `operator ${without.op} (node ${without.node}) has no backward rule: methods that take gradients cannot be used`,
    ]
    : [];
  return { targetLayer: layer.name, notices: [...notices, ...chosen, ...remarks] };
}

/** Checks that a detector's graph has the input and the outputs that its card names. */
function checkOutputs(graph: Graph, card: Exclude<Card, ClassifierCard>): void {
  const refuse = (what: string, names: readonly string[]): never => {
    throw new ModelError(
      `Cannot use model ${card.name}: its card names the ${what}; the model has ${
        names.join(", ") || "none"
      }`,
    );
  };
  const inputs = graph.inputs.map(({ name }) => name);
  if (card.input && !inputs.includes(card.input.name)) refuse(`input ${card.input.name}`, inputs);
  const outputs = graph.outputs.map(({ name }) => name);
  const heads = card.decoder["heads"];
  const named = [
    card.output?.name,
    ...Array.isArray(heads) ? heads.map((head) => head?.output) : [],
  ].filter((name) => typeof name === "string");
  for (const name of named) if (!outputs.includes(name)) refuse(`output ${name}`, outputs);
}

/** The bytes of the mean image beside a card. */
async function readMean(
  card: string,
  input: NonNullable<Card["input"]>,
  name: string,
): Promise<Uint8Array> {
  const path = join(dirname(card), name);
  const bytes = await readBytes(path, "mean image");
  const refuse = (why: string): never => {
    throw new ModelError(
      `Cannot use the mean image ${path}: ${why}; save float32 [C, H, W] with numpy.save`,
    );
  };
  let image;
  try {
    image = readNpy(bytes);
  } catch (error) {
    return refuse(messageOf(error));
  }
  const expected = [input.channels === "grey" ? 1 : 3, input.height, input.width];
  if (image.type !== "float32" || image.shape.join() !== expected.join()) {
    refuse(`${image.type} of shape [${image.shape}], not float32 of [${expected}]`);
  }
  return bytes;
}
