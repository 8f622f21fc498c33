/**
 * Gives tensors of an imported graph the names a model card uses.
 *
 * @module
 */

import { ModelError } from "../../src/base/errors.ts";
import type { Graph, Shape, Value } from "../../src/onnx/graph.ts";

/**
 * Renames a tensor everywhere and states its shape in the file, so that a reader need not infer it.
 *
 * @throws {ModelError} when no node makes it or the new name is taken
 */
export function nameTensor(graph: Graph, from: Value, to: Value, shape: Shape): void {
  const taken = graph.initializers.has(to) || graph.inputs.some((input) => input.name === to) ||
    graph.nodes.some((node) => node.outputs.includes(to));
  if (taken || !graph.nodes.some((node) => node.outputs.includes(from))) {
    throw new ModelError(
      `Cannot name tensor ${JSON.stringify(from)}: ${
        taken ? `${JSON.stringify(to)} exists already` : "no node makes it"
      }`,
    );
  }
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map((value) => value === from ? to : value);
    node.outputs = node.outputs.map((value) => value === from ? to : value);
  }
  for (const output of graph.outputs) if (output.name === from) output.name = to;
  if (!graph.outputs.some((output) => output.name === to)) {
    graph.stated.set(to, { name: to, type: "float32", shape });
  }
}
