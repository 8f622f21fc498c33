/**
 * Images with channels last, as TensorFlow and Keras have them, taken with channels first.
 *
 * @module
 */

import { type Attribute, type Graph, ints, type Node, type Value } from "./graph.ts";

/** Order of an input's axes: [N, C, H, W] or [N, H, W, C]. */
export type Layout = "nchw" | "nhwc";

/** What takes [N, H, W, C] to [N, C, H, W], and back. */
const TO_FIRST = [0, 3, 1, 2], TO_LAST = [0, 2, 3, 1];

/**
 * The layout of a graph's first input, as far as it tells: channels last where the last extent is 1 or 3 and the second is neither, or
 * where no extent tells and all that reads the input brings the channels to the front; else channels first.
 */
export function layoutOf(graph: Graph): Layout {
  const [input] = graph.inputs;
  if (!input?.shape || input.shape.length !== 4) return "nchw";
  const isColour = (axis: number) => input.shape![axis] === 1 || input.shape![axis] === 3;
  if (isColour(1)) return "nchw";
  if (isColour(3)) return "nhwc";
  if (typeof input.shape[1] === "number") return "nchw";
  const readers = graph.nodes.filter(({ inputs }) => inputs.includes(input.name));
  const moved = readers.length > 0 &&
    readers.every(({ op, domain, attributes: { perm } }) =>
      op === "Transpose" && domain === "" && perm?.kind === "ints" &&
      perm.value.join() === TO_FIRST.join()
    );
  return moved ? "nhwc" : "nchw";
}

/**
 * A graph whose first input, [N, H, W, C], is [N, C, H, W] under the same name: a Transpose in front of all that reads it. The original
 * stays as it is.
 */
export function channelsFirst(source: Graph): Graph {
  const [input, ...others] = source.inputs;
  if (!input) return source;
  const { name, shape } = input;
  let inner = `${name}/channels_last`;
  const taken = new Set([
    ...source.initializers.keys(),
    ...source.nodes.flatMap(({ outputs, name }) => [...outputs, name]),
  ]);
  while (taken.has(inner)) inner += "'";
  const transpose: Node = {
    name: inner,
    op: "Transpose",
    domain: "",
    inputs: [name],
    outputs: [inner],
    attributes: { perm: ints(TO_LAST) },
  };
  return {
    ...source,
    inputs: [
      shape?.length === 4 ? { ...input, shape: TO_FIRST.map((axis) => shape[axis]!) } : input,
      ...others,
    ],
    nodes: [transpose, ...source.nodes.map((node) => reading(node, name, inner))],
  };
}

/** A node that reads another value for one, in its subgraphs too. */
function reading(node: Node, from: Value, to: Value): Node {
  const attributes = Object.entries(node.attributes).map(([name, attribute]): [
    string,
    Attribute,
  ] => [
    name,
    attribute.kind === "graph"
      ? { kind: "graph", value: readingInside(attribute.value, from, to) }
      : attribute,
  ]);
  return {
    ...node,
    inputs: node.inputs.map((input) => input === from ? to : input),
    attributes: Object.fromEntries(attributes),
  };
}

function readingInside(graph: Graph, from: Value, to: Value): Graph {
  return {
    ...graph,
    outputs: graph.outputs.map((output) => output.name === from ? { ...output, name: to } : output),
    nodes: graph.nodes.map((node) => reading(node, from, to)),
  };
}
