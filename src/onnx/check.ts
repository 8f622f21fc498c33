/**
 * Checks that a graph is well formed. Cheap, so that every pass ends with it.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import type { Graph, Value } from "./graph.ts";

/** The oldest operator set whose ops mean what the shape and gradient rules take them to mean. */
const OLDEST_OPSET = 7;

/**
 * Checks names and order: every value that is read exists before it is read, no value is made twice, node names are unique,
 * outputs exist, every operator set is declared. Subgraphs are checked in the scope around them. Linear in the graph's size;
 * shapes are not looked at (see `inferShapes`).
 *
 * @throws {ModelError} naming the first node or value that is wrong.
 */
export function checkGraph(graph: Graph): void {
  if (!Number.isInteger(graph.opset) || graph.opset < OLDEST_OPSET) {
    fail(graph, `operator set ${graph.opset}`, `use ${OLDEST_OPSET} or later`);
  }
  if (graph.outputs.length === 0) fail(graph, "no outputs", "name at least one");
  checkScope(graph, new Set());
}

function checkScope(graph: Graph, outer: ReadonlySet<Value>): void {
  const own = new Set<Value>();
  const define = (value: Value, where: string) => {
    if (own.has(value) || outer.has(value)) {
      fail(graph, `${where} makes tensor ${JSON.stringify(value)} again`, "rename one of them");
    }
    own.add(value);
  };
  for (const input of graph.inputs) define(input.name, "a graph input");
  for (const name of graph.initializers.keys()) define(name, "an initializer");
  const exists = (value: Value) => own.has(value) || outer.has(value);
  const names = new Set<string>();
  for (const node of graph.nodes) {
    const label = `node ${JSON.stringify(node.name)} (${node.op})`;
    if (names.has(node.name)) fail(graph, `two nodes of the name ${JSON.stringify(node.name)}`);
    names.add(node.name);
    if (node.domain !== "" && !(node.domain in graph.domains)) {
      fail(graph, `${label} is of domain ${JSON.stringify(node.domain)}`, "declare its version");
    }
    for (const input of node.inputs) {
      if (input === "" || exists(input)) continue;
      failUnmade(graph, label, input);
    }
    for (const attribute of Object.values(node.attributes)) {
      if (attribute.kind !== "graph") continue;
      checkScope(attribute.value, new Set([...outer, ...own]));
    }
    for (const output of node.outputs) if (output !== "") define(output, label);
  }
  for (const output of graph.outputs) {
    if (!exists(output.name)) {
      fail(
        graph,
        `its output ${JSON.stringify(output.name)} is made by no node`,
        "drop the output",
      );
    }
  }
}

/** Of a value that is read before it is made: it may be made later. */
function failUnmade(graph: Graph, reader: string, value: Value): never {
  const later = graph.nodes.some(({ outputs }) => outputs.includes(value));
  const when = later ? "is only made after it" : "nothing makes";
  fail(
    graph,
    `${reader} reads ${JSON.stringify(value)}, which ${when}`,
    later ? "sort the nodes" : "add a node, input or initializer of that name",
  );
}

function fail(graph: Graph, what: string, hint?: string): never {
  throw new ModelError(
    `Cannot use graph ${JSON.stringify(graph.name)}: ${what}${hint ? `; ${hint}` : ""}`,
  );
}
