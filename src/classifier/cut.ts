/**
 * A classifier's graph, cut at its target layer.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import { cut, extract } from "../onnx/extract.ts";
import type { Graph, Value } from "../onnx/graph.ts";
import { receptiveFields } from "../onnx/receptive_field.ts";
import type { Scored } from "../onnx/scores.ts";
import type { ClassifierGraphs, ClassifierLayer } from "./classifier.ts";
import { findLayer } from "./geometry.ts";
import { formOf } from "./layer_forms/mod.ts";

/** A graph and where it is cut. */
export interface CutGraph {
  readonly graphs: ClassifierGraphs;
  readonly layer: ClassifierLayer;
  /** From the input to the layer, what else crosses the cut, and the scores. */
  readonly passage: Graph;
  /** Whether the graph's batch size is fixed. */
  readonly fixedBatch: boolean;
  /** Remarks on the choice of the layer. */
  readonly notices: readonly string[];
}

/**
 * Cuts a graph at a layer.
 *
 * @param name of the layer; by default the last one that has cells
 * @param title of the graphs that are made
 * @throws {ModelError} when it has no usable target layer, or that layer or the scores are not float32.
 * @throws {UsageError} when the layer asked for is not in the model.
 */
export function cutAtLayer(scored: Scored, name: Value | undefined, title: string): CutGraph {
  const { logits, probabilities } = scored;
  const { layer: found, notices } = findLayer(scored.graph, logits ?? probabilities, name);
  const { graph, layer } = formOf(found.shape)!.form.asGrid(scored.graph, found.name);
  const { head, bypass } = cut(graph, layer);
  const [{ name: input, shape }] = graph.inputs;
  const field = found.receptiveField && receptiveFields(graph, input).get(layer);
  const { channels, height, width, rows } = found;
  const outputs = [layer, ...bypass, ...logits ? [logits] : [], probabilities];
  const passage = extract(graph, { inputs: [input], outputs }, title);
  const read = new Set([layer, logits, probabilities]);
  const other = passage.outputs.find(({ name, type }) => read.has(name) && type !== "float32");
  if (other) {
    throw new ModelError(
      `Cannot use model ${title}: its tensor ${
        JSON.stringify(other.name)
      } is ${other.type}; convert the model to float32`,
    );
  }
  return {
    graphs: {
      whole: graph,
      head,
      input,
      layer,
      bypass,
      ...(logits ? { logits } : {}),
      probabilities,
    },
    layer: {
      name: layer,
      channels,
      height,
      width,
      ...(field ? { field } : {}),
      ...(rows ? { rows } : {}),
    },
    passage,
    fixedBatch: typeof shape?.[0] === "number",
    notices,
  };
}
