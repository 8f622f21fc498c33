/**
 * The graph that yields DeepLIFT's contributions.
 *
 * @module
 */

import { backwardGraph, connected, pullBack } from "../../onnx/backward.ts";
import type { Graph, GraphBuilder, Value } from "../../onnx/graph.ts";
import { repeatNodes } from "../../onnx/repeat_nodes.ts";
import { zerosLike } from "../forms.ts";
import { LIFT_RULES } from "./mod.ts";
import { difference, withReference } from "./rule.ts";

/** What {@linkcode liftGraph} is asked for. */
interface LiftRequest {
  /** The value that is explained, e.g. logits [N, K]. */
  score: Value;
  /** The value whose elements contribute, e.g. an activation [N, C, H, W]. */
  target: Value;
  /** The reference: zeros, or what is fed as an input `"reference"` of the target's shape. By default zeros. */
  reference?: "zeros" | "fed";
}

/**
 * Writes DeepLIFT's contributions as a graph: inputs are the head's and `cotangent` (shape of the score), the output
 * `contributions` (shape of the target) has Σ contributions = Σ cotangent · (score − score at the reference). What does not
 * depend on the target is the same in both passes. The given graph is not changed.
 *
 * @throws {UnsupportedOpError} when an operator between target and score has no rule.
 * @throws {ModelError} as `gradientGraph`.
 */
export function liftGraph(
  head: Graph,
  { score, target, reference: kind = "zeros" }: LiftRequest,
): Graph {
  const request = { score, target, outputs: ["contributions"] };
  return backwardGraph(head, request, (b, cotangent) => {
    const replaced = new Map([[target, kind === "fed" ? fed(b, target) : zeros(b, target)]]);
    repeatNodes(b, [...b.graph.nodes], replaced);
    const reference = (value: Value) => replaced.get(value) ?? value;
    const table = withReference(LIFT_RULES, reference);
    const [found] = pullBack(b, table, { of: score, cotangent, to: [target] });
    const multipliers = connected(found, score, target);
    return [b.op("Mul", [multipliers, difference(b, target, reference)])];
  });
}

function fed(b: GraphBuilder, target: Value): Value {
  const { type, shape } = b.known.get(target)!;
  const name = "reference";
  b.graph.inputs.push(shape ? { name, type, shape } : { name, type });
  b.known.set(name, shape ? { type, shape } : { type });
  return name;
}

/**
 * Zeros in the target's place. Where nothing else is fed, one row does for all: the whole reference pass is then constant, and
 * is computed when the session is opened instead of for each batch.
 */
function zeros(b: GraphBuilder, target: Value): Value {
  const [batch, ...rest] = b.shape(target);
  const alone = b.graph.inputs.every(({ name }) => name === target || name === "cotangent");
  if (!alone || typeof batch === "number" || rest.some((dim) => typeof dim === "string")) {
    return zerosLike(b, target);
  }
  const shape = [1, ...rest as number[]];
  return b.floats(shape, new Float32Array(shape.reduce((a, c) => a * c)));
}
