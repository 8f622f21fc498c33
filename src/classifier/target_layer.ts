/**
 * Target layers: the tensors at which a classifier can be cut for a class activation map.
 *
 * @module
 */

import { formOf, formsText, type LayerExtents } from "./layer_forms/mod.ts";
import { ModelError } from "../base/errors.ts";
import { type Graph, producers, type Value } from "../onnx/graph.ts";
import { ancestors } from "../onnx/depends_on.ts";
import { traceFields } from "../onnx/receptive_field.ts";
import type { ReceptiveField } from "../onnx/field.ts";
import { inferShapes } from "../onnx/shapes.ts";
import { simplify } from "../onnx/simplify.ts";

/** A tensor that can be a target layer. */
export interface TargetLayer extends LayerExtents {
  name: Value;
  /** The shape as inferred. */
  shape: readonly (number | string)[];
  /** The op that makes it. */
  op: string;
  /** Absent where it does not follow from the graph. */
  receptiveField?: ReceptiveField;
}

/**
 * The tensors of a form of layer with more than one cell between the image and `to`, in the order of the graph. The image is the
 * graph's first input. Channels-last tensors, tensors with h and w exchanged and tensors of unknown extents are not among
 * them.
 *
 * @throws {ModelError} when the shapes contradict each other.
 */
export function targetLayers(source: Graph, to: Value): TargetLayer[] {
  const outputs = source.outputs.some(({ name }) => name === to)
    ? source.outputs
    : [...source.outputs, { name: to, type: "float32" as const }];
  const graph = simplify({ ...source, outputs });
  const input = graph.inputs[0]?.name;
  if (input === undefined) return [];
  const known = inferShapes(graph);
  const fields = traceFields(graph, input);
  const made = producers(graph);
  const before = ancestors(graph, [to]);
  const layers: TargetLayer[] = [];
  for (const [name, state] of fields) {
    const { type, shape } = known.get(name) ?? {};
    const node = made.get(name);
    if (!node || !before.has(name) || !shape || !type?.startsWith("float")) continue;
    const found = formOf(shape);
    if (!found || found.extents.height * found.extents.width <= 1) continue;
    const { form, extents } = found;
    const layer: TargetLayer = { name, shape, ...extents, op: node.op };
    if (state !== "lost") {
      if (state.axes[0] !== form.axes[0] || state.axes[1] !== form.axes[1]) continue;
      layer.receptiveField = { y: state.y, x: state.x, global: state.global };
    }
    layers.push(layer);
  }
  return layers;
}

/**
 * The last tensor with spatial extent on the way to `to`, by which Grad-CAM and its kin take the best compromise of
 * meaning and place.
 *
 * @throws {ModelError} when there is none.
 */
export function defaultTargetLayer(graph: Graph, to: Value): Value {
  const layers = targetLayers(graph, to);
  const placed = layers.filter((layer) => layer.receptiveField);
  const last = (placed.length > 0 ? placed : layers).at(-1);
  if (!last) {
    throw new ModelError(
      `Cannot find a target layer on the way to ${
        JSON.stringify(to)
      }: no tensor ${formsText()} with more than one cell; a CAM needs a convolutional classifier of fixed input size`,
    );
  }
  return last.name;
}
