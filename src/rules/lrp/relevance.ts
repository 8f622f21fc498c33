/**
 * The graph that yields relevance.
 *
 * @module
 */

import { backwardGraph, connected, pullBack } from "../../onnx/backward.ts";
import type { Graph, Value } from "../../onnx/graph.ts";
import type { Composite } from "./composites.ts";
import { lrpRules } from "./mod.ts";
import { absorbingInto, sumOfRows } from "./rule.ts";

/** What {@linkcode relevanceGraph} is asked for. */
interface RelevanceRequest {
  /** The value that is explained, logits [N, K]: the relevance that sets out is cotangent · score. */
  score: Value;
  /** The value at which it arrives, [N, …]. */
  target: Value;
  composite: Composite;
  /** Whether the target is the network's input, so that there are first layers. By default not. */
  toInput?: boolean;
}

/**
 * Writes layer-wise relevance propagation as a graph: inputs are the head's and `cotangent` (shape of the score), outputs
 * `relevance` (shape of the target) and `absorbed` [N], what biases, stabilisers and tensors beside the target took of each row; for
 * each row Σ relevance + absorbed = Σ cotangent · score. The given graph is not changed.
 *
 * @throws {UnsupportedOpError} when an operator between target and score has no rule.
 * @throws {ModelError} as `gradientGraph`.
 */
export function relevanceGraph(
  head: Graph,
  { score, target, composite, toInput = false }: RelevanceRequest,
): Graph {
  const request = { score, target, outputs: ["relevance", "absorbed"] };
  return backwardGraph(head, request, (b, cotangent) => {
    const lost: Value[] = [];
    const table = absorbingInto(lrpRules(composite, toInput), (value) => lost.push(value));
    const start = b.op("Mul", [score, cotangent]);
    const [found] = pullBack(b, table, { of: score, cotangent: start, to: [target] });
    const relevance = connected(found, score, target);
    const none = b.op("Mul", [start, b.scalar(0)]);
    const absorbed = [none, ...lost].map((value) => sumOfRows(b, value, score));
    return [relevance, absorbed.reduce((a, c) => b.op("Add", [a, c]))];
  });
}
