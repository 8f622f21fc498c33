/**
 * Which tensors' cells have a say in a score.
 *
 * @module
 */

import { type Axes, hasPlaces } from "./axis_factors.ts";
import { type Graph, intOf, intsOf, type Known, type Node, readsOf, type Value } from "./graph.ts";
import { isOfShapes } from "./image_axes.ts";
import { counted } from "./trace_site.ts";

/** Ops of which an operand after the first enters every row of the result, whichever rows of it are read. */
const MIXING: ReadonlySet<string> = new Set(["MatMul", "Gemm", "Einsum", "Attention"]);

/**
 * The values whose cells reach `to`. Where only the extents of a tensor are read, nothing of it reaches; where only the class token is
 * taken from a list of tokens, the cells do not, up to the last attention in which that token reads them.
 *
 * @param axes of the graph's tensors; the cells of a tensor without them count as one
 */
export function reachingCells(
  graph: Graph,
  known: ReadonlyMap<Value, Known>,
  axes: ReadonlyMap<Value, Axes>,
  to: Value,
): Set<Value> {
  const reached = new Set<Value>([to]);
  const cells = new Set<Value>([to]);
  const placed = (value: Value) => {
    const found = axes.get(value);
    return found !== undefined && hasPlaces(found);
  };
  for (const node of [...graph.nodes].reverse()) {
    const outputs = node.outputs.filter((output) => reached.has(output));
    if (outputs.length === 0 || isOfShapes(node)) continue;
    // An output without cells has come from all of them.
    const through = outputs.some((output) => cells.has(output) || !placed(output));
    for (const read of readsOf(node)) {
      reached.add(read);
      const enters = MIXING.has(node.op) && node.inputs.indexOf(read) > 0;
      const taken = !placed(read) || !takesNoCells(node, outputs, known, axes.get(read)!);
      if ((through || enters) && taken) cells.add(read);
    }
  }
  return cells;
}

/** Whether a node takes only those tokens of its first input that are no cells. */
function takesNoCells(
  node: Node,
  outputs: readonly Value[],
  known: ReadonlyMap<Value, Known>,
  axes: Axes,
): boolean {
  const at = axes.findIndex((axis) => axis.length === 1 && axis[0].of === "tokens");
  const [tokens] = axes[at] ?? [];
  const shape = known.get(node.inputs[0])?.shape;
  if (tokens?.of !== "tokens" || !shape) return false;
  const numbers = (i: number) => known.get(node.inputs[i] ?? "")?.elements?.map(Number);
  const count = tokens.cells.reduce((product, { extent }) => product * Number(extent), 1);
  const among = (i: number) => i >= tokens.before && i < tokens.before + count;
  if (node.op === "Gather" && counted(intOf(node, "axis", 0), axes.length) === at) {
    const indices = numbers(1);
    return indices !== undefined && !indices.some((i) => among(counted(i, tokens.extent)));
  }
  const part = (output: Value) => known.get(output)?.shape?.[at];
  if (node.op === "Slice") {
    const starts = intsOf(node, "starts") ?? numbers(1);
    const listed = intsOf(node, "axes") ?? numbers(3) ?? starts?.map((_, i) => i);
    const i = listed?.findIndex((axis) => counted(axis, axes.length) === at) ?? -1;
    const start = starts?.[i];
    const extent = part(outputs[0]);
    const step = numbers(4)?.[i] ?? 1;
    if (start === undefined || typeof extent !== "number" || step !== 1) return false;
    const from = counted(start, tokens.extent);
    return from + extent <= tokens.before || from >= tokens.before + count;
  }
  if (node.op === "Split" && counted(intOf(node, "axis", 0), axes.length) === at) {
    let from = 0;
    for (const output of node.outputs) {
      const extent = Number(part(output));
      const has = !(from + extent <= tokens.before || from >= tokens.before + count);
      if (outputs.includes(output) && has) return false;
      from += extent;
    }
    return !Number.isNaN(from);
  }
  return false;
}
