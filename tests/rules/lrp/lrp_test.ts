/** LRP's rules on one node each: relevance and what is absorbed add up, and goes where the rule says. */

import assert from "node:assert/strict";
import { floats, type Tensor } from "../../../src/base/tensor.ts";
import { type Graph, int } from "../../../src/onnx/graph.ts";
import { GRADIENT_RULES } from "../../../src/rules/gradient/mod.ts";
import { type CompositeName, COMPOSITES, ruleOf } from "../../../src/rules/lrp/composites.ts";
import { lrpRules } from "../../../src/rules/lrp/mod.ts";
import { relevanceGraph } from "../../../src/rules/lrp/relevance.ts";
import { netOn, noise, output, put, runNative } from "../../onnx/native.ts";
import { near } from "../doubles.ts";
import { CASES, keyOf, nameOf, networkOf, ROWS, valuesOf } from "../node_cases.ts";
import { handBack, SHARES } from "./products.ts";
import { assertClose } from "../../assert_close.ts";
import { assertEvery } from "../../assert_that.ts";

const NAMES = Object.keys(COMPOSITES) as CompositeName[];
const RULES = lrpRules(COMPOSITES.epsilon, false);

async function relevanceOf(
  net: Graph,
  feeds: Record<string, Tensor>,
  name: CompositeName = "epsilon",
  target = "t",
): Promise<{ y: Tensor; relevance: Tensor; absorbed: Tensor }> {
  const y = (await runNative(net, feeds)).y as Tensor;
  const cotangent = noise(y.shape, 5);
  const graph = relevanceGraph(net, {
    score: "y",
    target,
    composite: COMPOSITES[name],
    toInput: true,
  });
  const all: Record<string, Tensor> = { ...feeds, cotangent };
  const read = Object.fromEntries(graph.inputs.map((input) => [input.name, all[input.name]]));
  const { relevance, absorbed } = await runNative(graph, read) as Record<string, Tensor>;
  const set = floats(y.shape, y.data.map((value, i) => value * cotangent.data[i]));
  return { y: set, relevance: relevance!, absorbed: absorbed! };
}

/** Sums of rows, and of magnitudes. */
function rowSums({ data }: Tensor): { total: number; size: number }[] {
  const length = data.length / ROWS;
  return Array.from({ length: ROWS }, (_, row) => {
    const own = data.subarray(row * length, (row + 1) * length);
    return {
      total: own.reduce((a, b) => a + b, 0),
      size: own.reduce((a, b) => a + Math.abs(b), 0),
    };
  });
}

/** Through these no relevance can be conserved, or nothing varies. */
const WITHOUT_RULE = [
  ...["Softmax", "LogSoftmax", "ReduceLogSumExp", "ReduceSumSquare", "ReduceL1", "ReduceL2"],
  ...["Floor", "Ceil", "Round", "Sign"],
];

Deno.test("every LRP rule has a case, and every gradient rule an LRP rule but for those that cannot have one", () => {
  const cases = new Set(CASES.map(keyOf));
  assert.deepEqual(Object.keys(RULES).filter((key) => !cases.has(key)), []);
  const missing = Object.keys(GRADIENT_RULES).filter((key) => !(key in RULES));
  assert.deepEqual(missing.sort(), [...WITHOUT_RULE].sort());
});

const LAYERS = new Set([
  ...["Conv", "ConvTranspose", "Gemm", "MatMul", "AveragePool", "GlobalAveragePool", "ReduceMean"],
  ...["ReduceSum", "Resize", "Upsample", "BatchNormalization"],
]);

for (const c of CASES.filter((c) => keyOf(c) in RULES)) {
  for (const name of LAYERS.has(c.op) ? NAMES : ["epsilon"] as const) {
    Deno.test(`LRP conserves relevance through ${nameOf(c)}${LAYERS.has(c.op) ? ` under ${name}` : ""}`, async () => {
      const { y, relevance, absorbed } = await relevanceOf(
        networkOf(c),
        { t: valuesOf(c, 41) },
        name,
      );
      const arrived = rowSums(relevance), set = rowSums(y);
      set.forEach(({ total, size }, row) => {
        const found = arrived[row].total + absorbed.data[row];
        const scale = size + arrived[row].size;
        assertClose(found, total, 1e-5 * scale, `row ${row}`);
      });
    });
  }
}

for (const name of NAMES) {
  const first = name === "epsilon-plus-flat";
  Deno.test(`LRP's ${name} hands back through a dense layer as the paper writes it${first ? " (not the first)" : ""}`, async () => {
    const weights = noise([4, 6], 7), bias = noise([4], 8);
    const b = netOn(["N", 6]);
    const parts = [b.initializer(weights), b.initializer(bias)];
    put(b, "Gemm", ["x", ...parts], { transB: int(1) }, "y");
    const net = output(b, "y");
    const x = noise([ROWS, 6], 9);
    const cotangent = noise([ROWS, 4], 10);
    const graph = relevanceGraph(net, { score: "y", target: "x", composite: COMPOSITES[name] });
    const found = (await runNative(graph, { x, cotangent })).relevance as Tensor;
    const y = (await runNative(net, { x })).y as Tensor;
    const expected = [0, 1].flatMap((row) => [
      ...handBack(
        SHARES[name].dense,
        Float64Array.from(weights.data),
        Float64Array.from(bias.data),
        Float64Array.from(x.data.subarray(6 * row, 6 * row + 6)),
        Float64Array.from(
          { length: 4 },
          (_, k) => y.data[4 * row + k] * cotangent.data[4 * row + k],
        ),
      ),
    ]);
    near(found.data, expected, 1e-4, name);
  });
}

Deno.test("a layer gets the rule of the first entry that matches", () => {
  const composite = COMPOSITES["epsilon-plus-flat"];
  assert.equal(ruleOf(composite, "convolution", true).name, "flat");
  assert.equal(ruleOf(composite, "convolution", false).name, "z+");
  assert.equal(ruleOf(composite, "dense", false).name, "epsilon");
  assert.equal(ruleOf(composite, "pooling", true).name, "epsilon");
  assert.throws(() =>
    ruleOf([[{ kind: "dense" }, ruleOf(composite, "dense", false)]], "pooling", false)
  );
});

Deno.test("only layers with no other in front of them are first", async () => {
  const b = netOn(["N", 3]);
  const dense = (x: string, seed: number) => b.op("Gemm", [x, b.initializer(noise([3, 3], seed))]);
  put(b, "Identity", [dense(b.op("Relu", [dense("x", 1)]), 2)], {}, "y");
  const net = output(b, "y");
  const { relevance } = await relevanceOf(
    net,
    { x: noise([ROWS, 3], 3) },
    "epsilon-plus-flat",
    "x",
  );
  // The first layer shares alike, so that a row's relevance is one number.
  for (let row = 0; row < ROWS; row++) {
    near(
      relevance.data.subarray(3 * row, 3 * row + 3),
      Array(3).fill(relevance.data[3 * row]),
      1e-6,
      `row ${row}`,
    );
  }
});

/** Relevance of both halves of "x" [N, 2 · 4] where the second makes a gate for the first. */
async function gated(gate: (b: ReturnType<typeof netOn>, half: string) => string): Promise<Tensor> {
  const b = netOn(["N", 8]);
  const half = (from: number) =>
    b.op("Slice", ["x", b.ints([from]), b.ints([from + 4]), b.ints([1])]);
  put(b, "Mul", [half(0), gate(b, half(4))], {}, "y");
  return (await relevanceOf(output(b, "y"), { x: noise([ROWS, 8], 6) }, "epsilon", "x")).relevance;
}

Deno.test("a gate gets no relevance, however it is written; two signals get half each", async () => {
  const gates: Record<string, (b: ReturnType<typeof netOn>, half: string) => string> = {
    sigmoid: (b, half) => b.op("Sigmoid", [half]),
    "hard sigmoid by ReLU6": (b, half) =>
      b.op("Div", [
        b.op("Clip", [b.op("Add", [half, b.scalar(3)]), b.scalar(0), b.scalar(6)]),
        b.scalar(6),
      ]),
    "one plus erf": (b, half) => b.op("Add", [b.op("Erf", [half]), b.scalar(1)]),
    "reshaped softmax": (b, half) => b.op("Reshape", [b.op("Softmax", [half]), b.ints([0, 4])]),
  };
  for (const [name, gate] of Object.entries(gates)) {
    const { data } = await gated(gate);
    const parts = [data.subarray(0, 4), data.subarray(8, 12)],
      gateParts = [data.subarray(4, 8), data.subarray(12, 16)];
    assertEvery(parts, (part) => part.every((value) => value !== 0), name);
    assertEvery(gateParts, (part) => part.every((value) => value === 0), name);
  }
  const { data } = await gated((_b, half) => half);
  near(data.subarray(0, 4), data.subarray(4, 8), 1e-6, "halves");
});
