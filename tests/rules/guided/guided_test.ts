import assert from "node:assert/strict";
import { floats, type Tensor } from "../../../src/base/tensor.ts";
import { gradientGraph } from "../../../src/onnx/backward.ts";
import type { GraphBuilder, Value } from "../../../src/onnx/graph.ts";
import { GRADIENT_RULES } from "../../../src/rules/gradient/mod.ts";
import { GUIDED_RULES, isRelu } from "../../../src/rules/guided/mod.ts";
import { netOn, output, put, runNative } from "../../onnx/native.ts";

/** What comes back through one operator, at x = −1, 2, 2, 7 with 1, 1, −1, 1 flowing back. */
async function back(op: (b: GraphBuilder) => Value, table = GUIDED_RULES): Promise<number[]> {
  const b = netOn(["N", 4]);
  put(b, "Identity", [op(b)], {}, "y");
  const graph = gradientGraph(output(b, "y"), { score: "y", target: "x", table });
  const x = floats([1, 4], [-1, 2, 2, 7]), cotangent = floats([1, 4], [1, 1, -1, 1]);
  const found = (await runNative(graph, { x, cotangent })).gradient as Tensor;
  return Array.from(found.data, (value) => value + 0);
}

Deno.test("a guided ReLU lets back what is positive, where the value was positive", async () => {
  assert.deepEqual(await back((b) => b.op("Relu", ["x"])), [0, 1, 0, 1]);
  assert.deepEqual(await back((b) => b.op("Relu", ["x"]), GRADIENT_RULES), [0, 1, -1, 1]);
});

Deno.test("a Clip from 0 on is a guided ReLU, other bounds keep their gradient", async () => {
  assert.deepEqual(await back((b) => b.op("Clip", ["x", b.scalar(0), b.scalar(6)])), [0, 1, 0, 0]);
  assert.deepEqual(await back((b) => b.op("Clip", ["x", b.scalar(-2), b.scalar(6)])), [
    1,
    1,
    -1,
    0,
  ]);
});

Deno.test("other operators keep their gradient's rule", () => {
  const changed = Object.keys(GRADIENT_RULES).filter((op) =>
    GUIDED_RULES[op as keyof typeof GUIDED_RULES] !==
      GRADIENT_RULES[op as keyof typeof GRADIENT_RULES]
  );
  assert.deepEqual(changed, ["Relu", "Clip"]);
});

Deno.test("ReLUs are known by operator and lower bound", () => {
  const b = netOn(["N", 4]);
  const bounds = [b.scalar(0), b.scalar(-1)];
  b.op("Relu", ["x"]);
  for (const low of bounds) b.op("Clip", ["x", low]);
  b.op("Clip", ["x", "", bounds[0]]);
  b.op("Sigmoid", ["x"]);
  assert.deepEqual(b.graph.nodes.map((node) => isRelu(b, node)), [true, true, false, false, false]);
});
