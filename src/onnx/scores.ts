/**
 * A classifier's scores: logits and probabilities as outputs of one form, whatever the exporter ended the model with.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import { checkGraph } from "./check.ts";
import { formatShape } from "./dims.ts";
import {
  type Graph,
  type GraphBuilder,
  int,
  type Known,
  type Node,
  producers,
  type Value,
  type ValueInfo,
} from "./graph.ts";
import { constantValue } from "./constants.ts";
import { prune } from "./depends_on.ts";
import { axesOf, refuseBatchMixing, refuseChance } from "./row_dependence.ts";
import { builderOn, inferShapes } from "./shapes.ts";
import { simplify } from "./simplify.ts";
import { defined } from "../base/defined.ts";

/** What is known about a model's output beforehand, usually from its card. */
interface ScoreOptions {
  /** The tensor of scores; by default the only output of the form [N, K]. */
  output?: Value;
  /** What it holds; by default "probabilities" if it comes from a Softmax or Sigmoid, else "logits". */
  kind?: "logits" | "probabilities";
  /** The tensor of logits, if it is another than the one in front of the Softmax or Sigmoid. */
  logits?: Value;
}

/** A classifier with both scores as its outputs. */
export interface Scored {
  /** Outputs: `logits`, if there is one, and `probabilities`, both [N, K]. */
  graph: Graph;
  /** Absent for probabilities that do not come from a Softmax or Sigmoid. */
  logits?: Value;
  probabilities: Value;
  /** K. */
  classes: number;
  /** How logits become probabilities; "softmax" if there are no logits. */
  activation: "softmax" | "sigmoid";
  /** Whether it was decided here, not told, that the output holds logits. */
  assumedLogits: boolean;
  /** Remarks on how the scores were read. */
  notices: readonly string[];
}

/** Ops that neither change scores nor their order along the classes. */
const PASSING = new Set([
  "Identity",
  "Dropout",
  "Flatten",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Cast",
]);

/**
 * Gives a classifier the outputs logits [N, K] and probabilities [N, K].
 *
 * The logits are found in front of a final Softmax, LogSoftmax or Sigmoid, looking through ops that only reshape; a model
 * that ends in logits gets a Softmax, or a Sigmoid where it is one logit, whose softmax would be 1 whatever it is. Scores of the form [N, K, 1, 1] or [N, 1, 1, K] are flattened. The model's other outputs
 * are dropped. Percentages, a Softmax or Sigmoid times a constant, are taken before the factor. The result is simplified
 * ({@linkcode simplify}); the original stays as it is.
 *
 * @throws {ModelError} when no output, or more than one, could be the scores, or the one named is not of that form; when scores
 * depend on chance, or a node mixes the samples of a batch ({@linkcode refuseChance}, {@linkcode refuseBatchMixing}).
 */
export function withScores(source: Graph, options: ScoreOptions = {}): Scored {
  const extra = [options.output, options.logits].filter((value) => value !== undefined)
    .filter((value) => !source.outputs.some(({ name }) => name === value));
  const known = inferShapes(source);
  for (const value of extra) {
    if (known.has(value)) continue;
    throw new ModelError(
      `Cannot read scores from ${
        JSON.stringify(value)
      }: the model has no such tensor; its outputs are ${
        source.outputs.map(({ name }) => JSON.stringify(name)).join(", ")
      }`,
    );
  }
  const kept = extra.map((name) => ({ name, ...known.get(name)! }));
  const graph = simplify({
    ...source,
    outputs: [
      ...source.outputs,
      ...kept.map(({ name, type, shape }) => shape ? { name, type, shape } : { name, type }),
    ],
  });
  const b = builderOn(graph);
  const output = options.output ?? onlyScores(b, source.outputs);
  const made = producers(graph);
  const { node: end, factor } = finalActivation(graph, made, output) ?? { factor: 1 };
  const kind = options.kind ?? (end && end.op !== "LogSoftmax" ? "probabilities" : "logits");

  const sigmoid = kind === "probabilities" && end?.op === "Sigmoid";

  // Log-probabilities are as good as logits, but those in front of them are what the network computed.
  const own = kind === "logits" && end?.op !== "LogSoftmax" ? output : end?.inputs[0];
  const raw = options.logits ?? own;
  const { value: logits, classes } = raw === undefined
    ? { value: undefined, classes: flat(b, output).classes }
    : flat(b, raw);
  if (end) checkAxis(b, end, classes);
  const scaled = kind === "probabilities" && factor !== 1;
  const probabilities = scaled
    ? flat(b, end!.outputs[0]).value
    : kind === "probabilities" || logits === undefined
    ? flat(b, output).value
    : classes > 1
    ? b.op("Softmax", [logits], { axis: int(1) })
    : b.op("Sigmoid", [logits]);
  const outputs = [...logits === undefined ? [] : [logits], probabilities];
  graph.outputs = outputs.map((name) => ({ name, ...typed(b, name) }));
  const result = prune(graph);
  checkGraph(result);
  refuseChance(result);
  refuseBatchMixing(result);
  return {
    graph: result,
    ...defined({ logits }),
    probabilities,
    classes,
    activation: sigmoid || kind === "logits" && classes === 1 ? "sigmoid" : "softmax",
    assumedLogits: options.kind === undefined && kind === "logits" && end === undefined,
    notices: scaled
      ? [
        `the output ${JSON.stringify(output)} is a ${
          end!.op
        } times ${factor}; probabilities are taken before that factor`,
      ]
      : [],
  };
}

function typed(b: GraphBuilder, value: Value) {
  const { type, shape } = b.known.get(value)!;
  return shape ? { type, shape } : { type };
}

/**
 * The Softmax, LogSoftmax or Sigmoid that a value comes from, looking through ops that only reshape; of the first and last of them
 * also through products with a positive constant, and their `factor`.
 */
function finalActivation(
  graph: Graph,
  made: ReadonlyMap<Value, Node>,
  value: Value,
): { node: Node; factor: number } | undefined {
  let factor = 1;
  let node = made.get(value);
  while (node && node.domain === "") {
    if (PASSING.has(node.op)) {
      node = made.get(node.inputs[0]);
      continue;
    }
    const scaling = scalingOf(graph, made, node);
    if (!scaling) break;
    factor *= scaling.factor;
    node = made.get(scaling.of);
  }
  if (!node || node.domain !== "") return undefined;
  const scalable = node.op === "Softmax" || node.op === "Sigmoid";
  return scalable || node.op === "LogSoftmax" && factor === 1 ? { node, factor } : undefined;
}

/** A product with, or a quotient by, one positive number. */
function scalingOf(
  graph: Graph,
  made: ReadonlyMap<Value, Node>,
  { op, inputs: [a, b] }: Node,
): { of: Value; factor: number } | undefined {
  if (op !== "Mul" && op !== "Div" || a === undefined || b === undefined) return undefined;
  const numberOf = (value: Value): number | undefined => {
    const data = constantValue(graph, made, value)?.data;
    return data?.length === 1 && data[0]! > 0 && Number.isFinite(data[0]) ? data[0] : undefined;
  };
  const right = numberOf(b);
  if (right !== undefined) return { of: a, factor: op === "Mul" ? right : 1 / right };
  const left = op === "Mul" ? numberOf(a) : undefined;
  return left === undefined ? undefined : { of: b, factor: left };
}

/** @throws {ModelError} where a final softmax runs over another axis than that of the classes. */
function checkAxis(b: GraphBuilder, node: Node, classes: number): void {
  const shape = b.known.get(node.inputs[0])?.shape;
  const axes = shape && axesOf(b.graph.opset, node, b.known as Map<Value, Known>, shape.length);
  if (!axes || classes < 2) return;
  const extents = axes.map((axis) => shape[axis < 0 ? axis + shape.length : axis]);
  if (extents.includes(classes) || extents.some((extent) => typeof extent === "string")) return;
  throw new ModelError(
    `Cannot use the model: node ${
      JSON.stringify(node.name)
    } (${node.op}) runs over an axis of extent ${extents.join(" × ")} of ${
      formatShape(shape)
    }, not over the ${classes} classes; export the model with this node on the axis of the classes`,
  );
}

/** Number of classes of [N, K], [N, K, 1, 1] …; `undefined` for other shapes. */
function classesOf(b: GraphBuilder, value: Value): number | undefined {
  const { type, shape } = b.known.get(value) ?? {};
  if (!shape || shape.length < 2 || !type?.startsWith("float")) return undefined;
  const wide = shape.slice(1).filter((dim) => dim !== 1);
  const extent = wide.length === 0 ? 1 : wide[0];
  return wide.length <= 1 && typeof extent === "number" ? extent : undefined;
}

/** The output of the form [N, K]; of two where one is the activation of the other, the activation. */
function onlyScores(b: GraphBuilder, outputs: readonly ValueInfo[]): Value {
  const made = producers(b.graph);
  const formed = outputs.filter(({ name }) => classesOf(b, name) !== undefined);
  const activated = formed.map(({ name }) => finalActivation(b.graph, made, name)?.node.inputs[0]);
  const candidates = formed.filter(({ name }) => !activated.includes(name));
  if (candidates.length === 1) return candidates[0].name;
  const all = outputs.map(({ name }) => `${name} ${formatShape(b.known.get(name)?.shape)}`);
  throw new ModelError(
    `Cannot tell which output holds the scores: ${candidates.length} of ${all.join(", ")} ${
      candidates.length === 0 ? "have" : "could have"
    } the form [N, classes]; name the output in the model card`,
  );
}

/** The value as [N, K]. */
function flat(b: GraphBuilder, value: Value): { value: Value; classes: number } {
  const classes = classesOf(b, value);
  const shape = b.known.get(value)?.shape;
  if (classes === undefined || !shape) {
    throw new ModelError(
      `Cannot read scores from ${JSON.stringify(value)}: its shape is ${
        formatShape(shape)
      }, not [N, classes]; name another tensor in the model card`,
    );
  }
  if (shape.length === 2) return { value, classes };
  return { value: b.op("Flatten", [value], { axis: int(1) }), classes };
}
