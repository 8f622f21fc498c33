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
  type Node,
  producers,
  type Value,
  type ValueInfo,
} from "./graph.ts";
import { prune } from "./depends_on.ts";
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
 * are dropped. The result is simplified ({@linkcode simplify}); the original stays as it is.
 *
 * @throws {ModelError} when no output, or more than one, could be the scores, or the one named is not of that form.
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
  const end = finalActivation(made, output);
  const kind = options.kind ?? (end && end.op !== "LogSoftmax" ? "probabilities" : "logits");

  const sigmoid = kind === "probabilities" && end?.op === "Sigmoid";

  // Log-probabilities are as good as logits, but those in front of them are what the network computed.
  const own = kind === "logits" && end?.op !== "LogSoftmax" ? output : end?.inputs[0];
  const raw = options.logits ?? own;
  const { value: logits, classes } = raw === undefined
    ? { value: undefined, classes: flat(b, output).classes }
    : flat(b, raw);
  const probabilities = kind === "probabilities" || logits === undefined
    ? flat(b, output).value
    : classes > 1
    ? b.op("Softmax", [logits], { axis: int(1) })
    : b.op("Sigmoid", [logits]);
  const outputs = [...logits === undefined ? [] : [logits], probabilities];
  graph.outputs = outputs.map((name) => ({ name, ...typed(b, name) }));
  const result = prune(graph);
  checkGraph(result);
  return {
    graph: result,
    ...defined({ logits }),
    probabilities,
    classes,
    activation: sigmoid || kind === "logits" && classes === 1 ? "sigmoid" : "softmax",
  };
}

function typed(b: GraphBuilder, value: Value) {
  const { type, shape } = b.known.get(value)!;
  return shape ? { type, shape } : { type };
}

/** The Softmax, LogSoftmax or Sigmoid that a value comes from, looking through ops that only reshape. */
function finalActivation(made: ReadonlyMap<Value, Node>, value: Value): Node | undefined {
  let node = made.get(value);
  while (node && node.domain === "" && PASSING.has(node.op)) node = made.get(node.inputs[0]);
  return node && ["Softmax", "LogSoftmax", "Sigmoid"].includes(node.op) ? node : undefined;
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
  const activated = formed.map(({ name }) => finalActivation(made, name)?.inputs[0]);
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
