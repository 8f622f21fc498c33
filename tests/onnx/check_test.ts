import assert from "node:assert/strict";
import { ModelError } from "../../src/base/errors.ts";
import { floats } from "../../src/base/tensor.ts";
import { checkGraph } from "../../src/onnx/check.ts";
import { emptyGraph, type Graph, type Node } from "../../src/onnx/graph.ts";
import { readModel } from "../../src/onnx/model_file.ts";

const node = (name: string, inputs: string[], outputs = [name], domain = ""): Node => ({
  name,
  op: "Op",
  domain,
  inputs,
  outputs,
  attributes: {},
});

function chain(): Graph {
  const graph = emptyGraph("net");
  graph.inputs.push({ name: "x", type: "float32" });
  graph.initializers.set("w", floats([], [1]));
  graph.nodes.push(node("a", ["x", "w"]), node("b", ["a", "", "x"]));
  graph.outputs.push({ name: "b", type: "float32" });
  return graph;
}

Deno.test("well-formed graphs pass", () => {
  checkGraph(chain());
  for (const file of ["mobile.onnx", "mobile_bn.onnx", "mobile_dynamo.onnx"]) {
    checkGraph(readModel(Deno.readFileSync(new URL(`../golden/onnx/${file}`, import.meta.url))));
  }
});

const faults: [string, RegExp, (graph: Graph) => void][] = [
  [
    "an undefined input",
    /node "b" \(Op\) reads "q", which nothing makes/,
    (g) => g.nodes[1].inputs[0] = "q",
  ],
  [
    "nodes out of order",
    /"b" \(Op\) reads "a", which is only made after it; sort/,
    (g) => g.nodes.reverse(),
  ],
  [
    "a tensor made twice",
    /node "b" \(Op\) makes tensor "a" again/,
    (g) => g.nodes[1].outputs = ["a"],
  ],
  ["an output over an initializer", /makes tensor "w" again/, (g) => g.nodes[1].outputs = ["w"]],
  [
    "an initializer over an input",
    /an initializer makes tensor "x" again/,
    (g) => g.initializers.set("x", floats([], [1])),
  ],
  ["two nodes of one name", /two nodes of the name "a"/, (g) => g.nodes[1].name = "a"],
  ["a missing output", /its output "q" is made by no node/, (g) => g.outputs[0].name = "q"],
  ["no output", /no outputs/, (g) => g.outputs = []],
  ["an old operator set", /operator set 6; use 7 or later/, (g) => g.opset = 6],
  [
    "an undeclared domain",
    /"b" \(Op\) is of domain "org.example"/,
    (g) => g.nodes[1].domain = "org.example",
  ],
  ["a subgraph that reads what comes later", /reads "b", which nothing makes/, (g) => {
    const inner = emptyGraph("inner");
    inner.nodes.push(node("inside", ["b"]));
    inner.outputs.push({ name: "inside", type: "float32" });
    g.nodes[0].attributes["body"] = { kind: "graph", value: inner };
  }],
  ["a subgraph that hides an outer tensor", /makes tensor "x" again/, (g) => {
    const inner = emptyGraph("inner");
    inner.nodes.push(node("x", ["w"]));
    inner.outputs.push({ name: "x", type: "float32" });
    g.nodes[0].attributes["body"] = { kind: "graph", value: inner };
  }],
];

for (const [what, message, spoil] of faults) {
  Deno.test(`a graph with ${what} is refused`, () => {
    const graph = chain();
    spoil(graph);
    assert.throws(() => checkGraph(graph), (error) => {
      assert(error instanceof ModelError, String(error));
      assert.match(error.message, message);
      assert.match(error.message, /^Cannot use graph "net|^Cannot use graph "inner/);
      return true;
    });
  });
}

Deno.test("a subgraph may read what is around it", () => {
  const graph = chain();
  const inner = emptyGraph("inner");
  inner.nodes.push(node("inside", ["a", "w", "x"]));
  inner.outputs.push({ name: "inside", type: "float32" }, { name: "a", type: "float32" });
  graph.nodes[1].attributes["body"] = { kind: "graph", value: inner };
  checkGraph(graph);
});
