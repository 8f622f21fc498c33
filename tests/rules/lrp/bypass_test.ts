/** LRP where not all inputs of a node carry relevance: what crosses the cut beside the target layer, and constants. */

import assert from "node:assert/strict";
import { floats, type Tensor } from "../../../src/base/tensor.ts";
import { float, type GraphBuilder, int, ints, type Value } from "../../../src/onnx/graph.ts";
import { type CompositeName, COMPOSITES } from "../../../src/rules/lrp/composites.ts";
import { relevanceGraph } from "../../../src/rules/lrp/relevance.ts";
import { netOn, noise, output, put, runNative } from "../../onnx/native.ts";
import { near } from "../doubles.ts";
import { handBack, SHARES } from "./products.ts";
import { assertEvery } from "../../assert_that.ts";
import { assertClose } from "../../assert_close.ts";

const NAMES = Object.keys(COMPOSITES) as CompositeName[];
const ROWS = 2;

interface Found {
  relevance: number[];
  absorbed: number[];
  /** What set out in each row. */
  scores: number[];
}

/** A network on "x", the target, and "bypass". */
function netBeside(shape: readonly number[], opset = 17): GraphBuilder {
  const b = netOn(["N", ...shape], opset);
  const described = { type: "float32" as const, shape: ["N", ...shape] };
  b.graph.inputs.push({ name: "bypass", ...described });
  b.known.set("bypass", described);
  return b;
}

/** Relevance of "x" where the relevance of "y" [N, …] is y itself. */
async function explain(
  b: GraphBuilder,
  feeds: Record<string, Tensor>,
  name: CompositeName = "epsilon",
): Promise<Found> {
  const net = output(b, "y");
  const { y } = await runNative(net, feeds) as Record<string, Tensor>;
  const graph = relevanceGraph(net, { score: "y", target: "x", composite: COMPOSITES[name] });
  const cotangent = floats(y!.shape, new Float32Array(y!.data.length).fill(1));
  const found = await runNative(graph, { ...feeds, cotangent }) as Record<string, Tensor>;
  return {
    relevance: [...found.relevance!.data],
    absorbed: [...found.absorbed!.data],
    scores: rowSums([...y!.data]),
  };
}

function rowSums(values: readonly number[], part = (value: number) => value): number[] {
  const length = values.length / ROWS;
  return Array.from(
    { length: ROWS },
    (_, row) => values.slice(row * length, (row + 1) * length).reduce((a, v) => a + part(v), 0),
  );
}

/** Checks that what has arrived and what is absorbed add up in each row. */
function assertConserved({ relevance, absorbed, scores }: Found, what: string): void {
  const arrived = rowSums(relevance), sizes = rowSums(relevance, Math.abs);
  scores.forEach((score, row) => {
    const most = 1e-5 * (Math.abs(score) + sizes[row]);
    assertClose(arrived[row] + absorbed[row], score, most, `${what}, row ${row}`);
  });
}

for (const name of NAMES) {
  Deno.test(`LRP under ${name} hands a joined layer its part and absorbs what the bypass gets, as written out`, async () => {
    const weights = noise([3, 8], 1), bias = noise([3], 2);
    const b = netBeside([4]);
    const joined = b.op("Concat", ["bypass", "x"], { axis: int(1) });
    const parts = [joined, b.initializer(weights), b.initializer(bias)];
    put(b, "Gemm", parts, { transB: int(1) }, "y");
    const x = noise([ROWS, 4], 3), bypass = noise([ROWS, 4], 4);
    const found = await explain(b, { x, bypass }, name);
    const [w, c] = [Float64Array.from(weights.data), Float64Array.from(bias.data)];
    const expected = [0, 1].map((row) => {
      const of = ({ data }: Tensor) => data.subarray(4 * row, 4 * row + 4);
      const input = Float64Array.from([...of(bypass), ...of(x)]);
      const logits = c.map((value, k) =>
        input.reduce((sum, one, j) => sum + w[8 * k + j] * one, value)
      );
      const back = handBack(SHARES[name].dense, w, c, input, logits).subarray(4);
      return { back, lost: logits.reduce((a, v) => a + v) - back.reduce((a, v) => a + v) };
    });
    near(found.relevance, expected.flatMap(({ back }) => [...back]), 1e-4, "the layer's part");
    near(found.absorbed, expected.map(({ lost }) => lost), 1e-4, "what is absorbed");
  });

  Deno.test(`LRP under ${name} conserves relevance at a layer inside a dense block`, async () => {
    const b = netBeside([3, 4, 5]);
    const joined = b.op("Concat", [b.op("Relu", ["x"]), "bypass"], { axis: int(1) });
    const convolved = b.op(
      "Conv",
      [joined, b.initializer(noise([4, 6, 3, 3], 5)), b.initializer(noise([4], 6))],
      { pads: ints([1, 1, 1, 1]) },
    );
    const pooled = b.op("Flatten", [b.op("GlobalAveragePool", [b.op("Relu", [convolved])])]);
    put(
      b,
      "Gemm",
      [pooled, b.initializer(noise([4, 1], 7)), b.initializer(noise([1], 8))],
      {},
      "y",
    );
    const feeds = { x: noise([ROWS, 3, 4, 5], 9), bypass: noise([ROWS, 3, 4, 5], 10) };
    const found = await explain(b, feeds, name);
    assertConserved(found, name);
    assertEvery(found.absorbed, (value, row) => Math.abs(value / found.scores[row]) > 0.01);
  });
}

const square = (b: GraphBuilder) => b.initializer(noise([4, 4], 12));

/** One node each, of the layer "x" and the bypass, [N, 3, 4]. */
const MIXED: Readonly<Record<string, (b: GraphBuilder) => Value>> = {
  Add: (b) => b.op("Add", ["x", "bypass"]),
  Sub: (b) => b.op("Sub", ["bypass", "x"]),
  Sum: (b) => b.op("Sum", ["bypass", "x", b.scalar(0.5)]),
  Mean: (b) => b.op("Mean", ["x", "bypass"]),
  Mul: (b) => b.op("Mul", ["bypass", "x"]),
  "Div by the bypass": (b) => b.op("Div", ["x", "bypass"]),
  "Div of the bypass": (b) => b.op("Div", ["bypass", "x"]),
  "MatMul with the bypass": (b) =>
    b.op("MatMul", ["x", b.op("Reshape", ["bypass", b.ints([0, 4, 3])])]),
  "MatMul of two that vary": (b) =>
    b.op("MatMul", ["x", b.op("Transpose", ["x"], { perm: ints([0, 2, 1]) })]),
  "Max with the bypass": (b) => b.op("Max", ["bypass", "x"]),
  "Max of two that vary and the bypass": (b) =>
    b.op("Max", ["x", "bypass", b.op("MatMul", ["x", square(b)])]),
  "Min of two that vary and a constant": (b) =>
    b.op("Min", ["x", b.op("MatMul", ["x", square(b)]), b.initializer(noise([4], 13))]),
  Where: (b) => b.op("Where", [b.op("Less", ["bypass", b.scalar(0)]), "x", "bypass"]),
  "Concat with a token": (b) => {
    const shape = b.op("Concat", [
      b.op("Shape", ["x"], { start: int(0), end: int(1) }),
      b.ints([1, 4]),
    ], {
      axis: int(0),
    });
    const token = b.op("Expand", [b.initializer(noise([1, 1, 4], 14)), shape]);
    return b.op("Concat", [token, "x", "bypass"], { axis: int(1) });
  },
  "Gather from both": (b) =>
    b.op("Gather", [b.op("Concat", ["bypass", "x"], { axis: int(1) }), b.ints([0, 4, 4, 1])], {
      axis: int(1),
    }),
  "Pad after Concat": (b) =>
    b.op("Pad", [
      b.op("Concat", ["bypass", "x"], { axis: int(2) }),
      b.ints([0, 1, 0, 0, 0, 1]),
      b.scalar(0.5),
    ]),
  "a slope that varies": (b) => b.op("PRelu", ["bypass", "x"]),
  "an exponent that varies": (b) => b.op("Pow", [b.scalar(2), "x"]),
  "a base that is broadcast": (b) =>
    b.op("Pow", [
      b.op("Abs", [b.op("ReduceMean", ["x"], { axes: ints([2]) })]),
      b.initializer(noise([4], 15)),
    ]),
};

for (const [name, made] of Object.entries(MIXED)) {
  Deno.test(`relevance that goes to no input of the target is absorbed: ${name}`, async () => {
    const b = netBeside([3, 4]);
    put(b, "Mul", [made(b), b.scalar(0.7)], {}, "y");
    const feeds = { x: noise([ROWS, 3, 4], 16), bypass: noise([ROWS, 3, 4], 17) };
    assertConserved(await explain(b, feeds), name);
  });
}

Deno.test("a maximum's relevance goes to the layer where it decides, and is lost where the bypass does", async () => {
  const b = netBeside([3]);
  put(b, "Max", ["x", "bypass"], {}, "y");
  const x = floats([ROWS, 3], [5, 1, 2, 0, 4, 3]), bypass = floats([ROWS, 3], [1, 4, 2, 1, 1, 1]);
  const found = await explain(b, { x, bypass });
  // Equal ones get half each.
  assert.deepEqual(found.relevance, [5, 0, 1, 0, 4, 3]);
  assert.deepEqual(found.absorbed, [5, 1]);
});

Deno.test("a bound that is the same for every input passes relevance on", async () => {
  const b = netBeside([3]);
  const bound = b.op("Neg", [b.scalar(-2)]);
  put(b, "Min", [bound, "x"], {}, "y");
  const x = floats([ROWS, 3], [5, 1, 2, 0, 4, 3]);
  const found = await explain(b, { x, bypass: noise([ROWS, 3]) });
  assert.deepEqual(found.relevance, [2, 1, 2, 0, 2, 2]);
  assert.deepEqual(found.absorbed, [0, 0]);
});

Deno.test("a border of constants absorbs its relevance in old operator sets, too", async () => {
  const b = netBeside([3], 9);
  put(b, "Pad", ["x"], { pads: ints([0, 1, 0, 2]), value: float(0.5) }, "y");
  const found = await explain(b, { x: noise([ROWS, 3], 18), bypass: noise([ROWS, 3]) });
  near(found.absorbed, [1.5, 1.5], 1e-6, "three cells of 0.5");
  assertConserved(found, "Pad");
});

Deno.test("what is absorbed is that of each row where sequences come before the batch", async () => {
  const b = netBeside([3, 4]);
  const first = b.op("Transpose", ["x"], { perm: ints([1, 0, 2]) });
  const shifted = b.op("Add", [first, b.initializer(noise([4], 19))]);
  const back = b.op("Transpose", [shifted], { perm: ints([1, 0, 2]) });
  // A separate factor for each row: else what the shift gets were the same in all of them.
  put(b, "Mul", [back, "bypass"], {}, "y");
  const found = await explain(b, { x: noise([ROWS, 3, 4], 20), bypass: noise([ROWS, 3, 4], 21) });
  assertConserved(found, "tokens first");
});
