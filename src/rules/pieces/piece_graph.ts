/**
 * A head continued from the piece on which an activation lies.
 *
 * @module
 */

import {
  copyGraph,
  type Graph,
  type GraphBuilder,
  type Node,
  type Value,
} from "../../onnx/graph.ts";
import { builderOn } from "../../onnx/shapes.ts";
import { PIECES, STEPS } from "./mod.ts";

/** A graph with a second activation as input, and its scores there. */
export interface PieceGraph {
  readonly graph: Graph;
  /** The input: where the piece is evaluated. The head's own inputs tell which piece. */
  readonly moved: Value;
  /** Each of the head's outputs, evaluated at `moved`. */
  readonly outputs: ReadonlyMap<Value, Value>;
}

const MOVED = "moved";

/**
 * The function that a head is on the piece around the activation `layer`, evaluated at `moved`: equal to the head at
 * `moved = layer`, with the head's derivative there, and without the corners of ReLUs, maxima and steps.
 *
 * @param layer an input of the head; an output that does not depend on it stays as it is
 * @throws {ModelError} where shapes contradict each other.
 */
export function pieceGraph(head: Graph, layer: Value): PieceGraph {
  const graph = copyGraph(head);
  const input = graph.inputs.find(({ name }) => name === layer);
  if (!input) throw new RangeError(`The head has no input ${JSON.stringify(layer)}`);
  graph.inputs.push({ ...input, name: MOVED });
  const b = builderOn(graph, "emocam_piece");
  const elsewhere = new Map<Value, Value>([[layer, MOVED]]);
  for (const node of head.nodes) {
    if (node.inputs.some((read) => elsewhere.has(read))) addPiece(b, node, elsewhere);
  }
  const outputs = new Map(head.outputs.map(({ name }) => [name, elsewhere.get(name) ?? name]));
  graph.outputs = head.outputs.map((output) => ({ ...output, name: outputs.get(output.name)! }));
  return { graph, moved: MOVED, outputs };
}

/** Whole numbers and truth values are steps; what is not entered does not move. */
function addPiece(b: GraphBuilder, node: Node, elsewhere: Map<Value, Value>): void {
  const { op, domain, inputs, outputs, attributes } = node;
  if ((domain === "" && STEPS.has(op)) || b.known.get(outputs[0])?.type !== "float32") return;
  const moved = inputs.map((input) => elsewhere.get(input) ?? input);
  const piece = domain === "" ? PIECES[op] : undefined;
  const results = piece
    ? [piece(b, node, moved)]
    : b.ops(op, moved, attributes, outputs.length, domain);
  results.forEach((result, i) => {
    if (outputs[i] !== "") elsewhere.set(outputs[i], result);
  });
}
