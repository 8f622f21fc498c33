/**
 * Where the rows and columns of the picture are among the axes of each tensor, through reshapes, windows and attention.
 *
 * @module
 */

import { type Axes, channels, line } from "./axis_factors.ts";
import { AXES_RULES } from "./image_axes_rules.ts";
import { dependents } from "./depends_on.ts";
import { type Graph, type Known, type Node, producers, type Value } from "./graph.ts";
import { imageAxes } from "./receptive_field.ts";
import { siteOf } from "./trace_site.ts";

/** Whether a node tells the extents of a tensor, not its values. */
export function isOfShapes({ op, domain }: Node): boolean {
  return domain === "" && (op === "Shape" || op === "Size");
}

/** Every value that depends on the values of an input, not only on its extents. */
export function varyingWith(graph: Graph, input: Value): Set<Value> {
  const made = producers(graph);
  return dependents(graph, [input], (value) => !isOfShapes(made.get(value)!));
}

/**
 * The axes of all tensors in which they can be told. Unlike a receptive field they survive attention, windows and other rearrangements; they
 * are lost at ops that are not known. A convolution or pool whose window has several rows and columns takes its input for a picture: where
 * rows and columns were lost before it, its output has assumed ones.
 *
 * @param graph a simplified one
 * @param known its types and shapes
 * @param input the graph input that is the image
 */
export function traceAxes(
  graph: Graph,
  known: ReadonlyMap<Value, Known>,
  input: Value,
): Map<Value, Axes> {
  const axes = new Map<Value, Axes>();
  const shape = known.get(input)?.shape;
  if (shape?.length !== 4) return axes;
  const [y, x] = imageAxes(shape);
  axes.set(
    input,
    shape.map((extent, axis) => {
      if (axis === 0) return [{ of: "batch" as const, extent }];
      const place = axis === y ? "y" : axis === x ? "x" : undefined;
      return place && typeof extent === "number" ? line(place, extent) : channels(extent);
    }),
  );
  const varying = varyingWith(graph, input);
  for (const node of graph.nodes) {
    const rule = node.domain === "" ? AXES_RULES[node.op] : undefined;
    if (!rule || !node.inputs.some((value) => varying.has(value))) continue;
    const site = siteOf(graph, node, known, axes, varying);
    node.outputs.forEach((output, i) => {
      const found = output === "" ? undefined : rule(site, i);
      const rank = known.get(output)?.shape?.length;
      if (found && found.length === rank) axes.set(output, found);
    });
  }
  return axes;
}
