/**
 * Where the cells of a tensor look: the receptive field of each spatial tensor, from the graph.
 *
 * Along one axis, cell i of a tensor sees the pixels in an interval of `size` pixels around pixel `centre + stride · i`.
 * A layer with kernel k, stride s, dilation d and p pixels of leading padding turns (c, j, r) into
 *
 *     c' = c + ((k − 1)·d / 2 − p)·j,   r' = r + (k − 1)·d·j,   j' = j·s
 *
 * Source: Araujo, Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks" (Distill 2019,
 * 10.23915/distill.00021), section "solving receptive field region". TensorFlow's SAME padding puts odd pixels at the end, so `p`
 * differs from the symmetric case and the field moves by up to half a cell.
 *
 * @module
 */

import type { Graph, Shape, Value } from "./graph.ts";
import { FIELD_RULES } from "./receptive_field_rules.ts";
import { dependents } from "./depends_on.ts";
import { inferShapes } from "./shapes.ts";
import { simplify } from "./simplify.ts";
import type { AxisField, FieldState, ReceptiveField, TrackedField } from "./field.ts";
import { siteOf } from "./trace_site.ts";

/**
 * The receptive fields of all tensors whose cells lie on a regular grid over the input image.
 *
 * The input is [N, C, H, W], or [N, H, W, C] where its last extent is at most 4 and its second is not. A field ends where
 * the axes end (flattening, global pooling) or y and x change places; it is absent too where it cannot be told (an unknown
 * op, branches of different strides). Extents need not be known, except where padding depends on them.
 *
 * For `Resize` and `ConvTranspose` the centre is that of the continuous coordinates and the size is an upper bound.
 *
 * @param input the graph input that is the image
 * @throws {ModelError} when the shapes contradict each other.
 */
export function receptiveFields(graph: Graph, input: Value): Map<Value, ReceptiveField> {
  const fields = new Map<Value, ReceptiveField>();
  for (const [value, state] of traceFields(graph, input)) {
    if (state === "lost") continue;
    const { y, x, global } = state;
    fields.set(value, { y, x, global });
  }
  return fields;
}

/** As {@linkcode receptiveFields}, with the axes, and with the tensors whose field is lost. */
export function traceFields(source: Graph, input: Value): Map<Value, FieldState> {
  const graph = simplify(source);
  const known = inferShapes(graph);
  const states = new Map<Value, FieldState>();
  const start = inputField(known.get(input)?.shape);
  if (!start) return states;
  states.set(input, start);
  const varying = dependents(graph, graph.inputs.map(({ name }) => name));
  for (const node of graph.nodes) {
    const site = siteOf(graph, node, known, states, varying);
    const anyInput = node.inputs.some((value) => states.has(value));
    if (!anyInput) continue;
    const rule = node.domain === "" ? FIELD_RULES[node.op] : undefined;
    node.outputs.forEach((output, i) => {
      const state = rule ? rule(site, i) : "lost";
      if (output !== "" && state) states.set(output, state);
    });
  }
  return states;
}

function inputField(shape: Shape | undefined): TrackedField | undefined {
  const pixel: AxisField = { centre: 0, stride: 1, size: 1 };
  if (shape && shape.length !== 4) return undefined;
  return { y: pixel, x: pixel, global: false, axes: imageAxes(shape) };
}

/** Which axes of an image are y and x: the last two, or the middle ones where the last is no more than 4 and the second is. */
export function imageAxes(shape: Shape | undefined): readonly [y: number, x: number] {
  const few = (dim: unknown) => typeof dim === "number" && dim <= 4;
  return shape !== undefined && few(shape[3]) && !few(shape[1]) ? [1, 2] : [2, 3];
}
