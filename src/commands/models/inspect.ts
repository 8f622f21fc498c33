/**
 * `models list` and `models inspect`.
 *
 * @module
 */

import { join } from "node:path";
import { messageOf, UsageError } from "../../base/errors.ts";
import { unsupportedOps } from "../../onnx/backward.ts";
import type { Graph, ValueInfo } from "../../onnx/graph.ts";
import { readModel } from "../../onnx/model_file.ts";
import type { AxisField, ReceptiveField } from "../../onnx/field.ts";
import { withScores } from "../../onnx/scores.ts";
import { laterNotice, surveyLayers } from "../../classifier/target_layer.ts";
import { GRADIENT_RULES } from "../../rules/gradient/mod.ts";
import type { Layout } from "../../onnx/channels_first.ts";
import { takeGraph } from "../../runtime/taken_graph.ts";
import { type Card, findCard, shippedCards, userCards } from "../../runtime/card.ts";
import { textTable } from "../terminal.ts";
import { legible } from "../../base/legible.ts";
import { isFile } from "../../base/files.ts";

/** Lists the models that ship, then those of the user's model folder. */
export async function listModels({ json }: { json?: boolean }): Promise<number> {
  const places = [["shipped", await shippedCards()], ["user folder", await userCards()]] as const;
  const rows = await Promise.all(
    places.flatMap(([where, cards]) =>
      cards.map(async ({ card, folder }) => ({
        name: card.name,
        task: card.task,
        classes: card.classes?.length ?? null,
        licence: card.licence,
        where,
        present: await isPresent(card, folder),
        source: card.source,
      }))
    ),
  );
  if (json) console.log(JSON.stringify(rows, null, 1));
  else {
    console.log(textTable(
      ["name", "task", "classes", "where", "file", "licence"],
      rows.map(({ name, task, classes, licence, where, present, source }) => [
        name,
        task,
        classes === null ? "" : String(classes),
        where,
        present === undefined
          ? "combines other cards"
          : present
          ? "present"
          : `missing: get it from ${legible(source)}`,
        legible(licence.split(/ \(|;/)[0]),
      ]),
    ));
  }
  return 0;
}

async function isPresent(card: Card, folder: string): Promise<boolean | undefined> {
  if (!card.file) return undefined;
  return await isFile(join(folder, card.file));
}

/** Says what is in an ONNX file. @throws {ModelError} when it cannot be read. */
export async function inspectModel(name: string, { json }: { json?: boolean }): Promise<number> {
  const { path, layout }: { path: string; layout?: Layout | undefined } =
    name.toLowerCase().endsWith(".onnx") ? { path: name } : await cardFile(name);
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${messageOf(error)}`);
  }
  const facts = { file: path, bytes: bytes.length, ...describe(readModel(bytes, path), layout) };
  console.log(json ? JSON.stringify(facts, null, 1) : asText(facts));
  return 0;
}

async function cardFile(
  name: string,
): Promise<{ path: string; layout: Layout | undefined }> {
  const { card, folder } = await findCard(name);
  if (!card.file) {
    throw new UsageError(
      `Cannot inspect ${card.name}: its card has no ONNX file; inspect the models it combines`,
    );
  }
  return { path: join(folder, card.file), layout: card.input?.layout };
}

interface LayerFacts {
  name: string;
  op: string;
  shape: readonly (number | string)[];
  receptiveField: ReceptiveField | null;
  /** Operators between this layer and the scores that have no gradient rule. */
  withoutRule: readonly string[];
}

interface Description {
  opset: number;
  inputs: readonly string[];
  outputs: readonly string[];
  ops: Record<string, number>;
  parameters: number;
  /** Why scores or layers could not be found; absent for a classifier. */
  notAClassifier?: string;
  /** The order of the input's axes. */
  layout?: Layout;
  /** Remarks on how the model is taken. */
  notices?: readonly string[];
  classes?: number;
  logits?: string | null;
  layers: LayerFacts[];
  defaultLayer?: string;
  /** Where the net has maps after the default layer, or its layers cannot be listed. */
  notice?: string;
}

function describe(source: Graph, stated: Layout | undefined): Description {
  const ops: Record<string, number> = {};
  for (const { op, domain } of source.nodes) {
    const key = domain ? `${domain}.${op}` : op;
    ops[key] = (ops[key] ?? 0) + 1;
  }
  const common = {
    opset: source.opset,
    inputs: source.inputs.map(valueText),
    outputs: source.outputs.map(valueText),
    ops: Object.fromEntries(Object.entries(ops).sort(([a], [b]) => a < b ? -1 : 1)),
    parameters: [...source.initializers.values()].reduce((sum, { data }) => sum + data.length, 0),
  };
  try {
    const { graph, layout, notices } = takeGraph(source, stated);
    const scored = withScores(graph);
    const score = scored.logits ?? scored.probabilities;
    const survey = surveyLayers(scored.graph, score);
    const { last } = survey;
    const notice = last ? laterNotice(survey, last) : openExtents(scored.graph);
    const layers = survey.layers.map(({ name, op, shape, receptiveField }) => ({
      name,
      op,
      shape,
      receptiveField: receptiveField ?? null,
      withoutRule: [
        ...new Set(
          unsupportedOps(scored.graph, name, score, GRADIENT_RULES).map((item) => item.op),
        ),
      ],
    }));
    return {
      ...common,
      layout,
      notices: [...notices, ...scored.notices],
      classes: scored.classes,
      logits: scored.logits ?? null,
      layers,
      ...(last ? { defaultLayer: last.name } : {}),
      ...(notice === undefined ? {} : { notice }),
    };
  } catch (error) {
    return { ...common, notAClassifier: messageOf(error), layers: [] };
  }
}

/** Why no layers can be listed of a graph whose pictures may have any size. */
function openExtents({ inputs: [input] }: Graph): string | undefined {
  const open = input?.shape?.slice(1).some((extent) => typeof extent !== "number");
  return open
    ? "no layers can be listed: the file leaves the size of its input open; a model card states it, or the tensor given to explain"
    : undefined;
}

function valueText({ name, type, shape }: ValueInfo): string {
  return `${name} ${type} [${shape?.join(", ") ?? "rank unknown"}]`;
}

function asText(facts: Description & { file: string; bytes: number }): string {
  const { file, bytes, opset, inputs, outputs, ops, parameters, layers } = facts;
  const lines = [
    `${legible(file)}: ${bytes} bytes, operator set ${opset}, ${parameters} weights`,
    `inputs   ${inputs.map(legible).join("; ")}`,
    `outputs  ${outputs.map(legible).join("; ")}`,
    `ops      ${Object.entries(ops).map(([op, count]) => `${op} ${count}`).join(", ")}`,
  ];
  if (facts.notAClassifier !== undefined) {
    return [...lines, `not usable as classifier: ${legible(facts.notAClassifier)}`].join("\n");
  }
  lines.push(
    `scores   ${facts.classes} classes; logits ${facts.logits ? legible(facts.logits) : "none"}`,
    ...(facts.notices ?? []).map((notice) => `note     ${legible(notice)}`),
    "",
    "target layers, first to last (* default); receptive field in input pixels, centre is that of cell 0:",
    textTable(
      ["", "tensor", "op", "shape", "stride", "centre", "size", "no backward rule for"],
      layers.map(({ name, op, shape, receptiveField: field, withoutRule }) => [
        name === facts.defaultLayer ? "*" : "",
        legible(name),
        op,
        shape.join("×"),
        both(field, (axis) => axis.stride),
        both(field, (axis) => axis.centre),
        both(field, (axis) => axis.size) + (field?.global ? " (+ global)" : ""),
        withoutRule.join(", "),
      ]),
    ),
  );
  if (facts.notice !== undefined) lines.push("", `note: ${legible(facts.notice)}`);
  return lines.join("\n");
}

/** One number where both axes agree, else `y,x`. */
function both(field: ReceptiveField | null, read: (axis: AxisField) => number): string {
  if (!field) return "";
  const y = read(field.y), x = read(field.x);
  return y === x ? String(y) : `${y},${x}`;
}
