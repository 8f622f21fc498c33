/**
 * A model's graph as everything here takes it: in inference mode, with channels first.
 *
 * @module
 */

import { channelsFirst, type Layout, layoutOf } from "../onnx/channels_first.ts";
import type { Graph } from "../onnx/graph.ts";
import { forInference } from "../onnx/inference.ts";

/** A graph, and what was done to it. */
export interface TakenGraph {
  readonly graph: Graph;
  /** The layout of the file's first input. */
  readonly layout: Layout;
  /** Whether the graph computes otherwise than the file says. */
  readonly changed: boolean;
  /** Remarks that a user should see once. */
  readonly notices: readonly string[];
}

/**
 * Takes a graph as read from a file.
 *
 * @param stated the layout that its card states, if it does; else it is recognised
 * @throws {ModelError} when it is in training mode in a way that inference does not define.
 */
export function takeGraph(source: Graph, stated?: Layout): TakenGraph {
  const { graph, notices } = forInference(source);
  const layout = stated ?? layoutOf(graph);
  const taken = layout === "nhwc" ? channelsFirst(graph) : graph;
  const own = layout === "nhwc" && stated === undefined
    ? [
      `the model takes channels last, [${source.inputs[0]!.shape!.join(", ")}]`,
    ]
    : [];
  return { graph: taken, layout, changed: taken !== source, notices: [...own, ...notices] };
}
