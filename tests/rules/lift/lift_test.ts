/** DeepLIFT's rules on one node each: they add up, and tend to the gradient. */

import assert from "node:assert/strict";
import { floats, sizeOf, type Tensor } from "../../../src/base/tensor.ts";
import { UnsupportedOpError } from "../../../src/base/errors.ts";
import { gradientGraph } from "../../../src/onnx/backward.ts";
import type { Graph } from "../../../src/onnx/graph.ts";
import { GRADIENT_RULES } from "../../../src/rules/gradient/mod.ts";
import { liftGraph } from "../../../src/rules/lift/contributions.ts";
import { LIFT_RULES } from "../../../src/rules/lift/mod.ts";
import { netOn, noise, output, put, runNative } from "../../onnx/native.ts";
import { near } from "../doubles.ts";
import { CASES, keyOf, nameOf, networkOf, ROWS, valuesOf } from "../node_cases.ts";
import { assertClose } from "../../assert_close.ts";
import { assertEvery } from "../../assert_that.ts";

async function run(graph: Graph, feeds: Record<string, Tensor>, name: string): Promise<Tensor> {
  const read = Object.fromEntries(graph.inputs.map((input) => [input.name, feeds[input.name]]));
  return (await runNative(graph, read))[name] as Tensor;
}

/** Operators of one input that work element by element: there each element's contribution is known. */
const ELEMENTWISE = new Set([
  ...["Relu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "LeakyRelu", "Elu", "Selu", "Celu"],
  ...["ThresholdedRelu", "Softplus", "Softsign", "Mish", "Neg", "Abs", "Exp", "Erf", "Sin", "Cos"],
  ...[
    "Floor",
    "Ceil",
    "Round",
    "Sign",
    "Log",
    "Sqrt",
    "Reciprocal",
    "Gelu",
    "Clip",
    "PRelu",
    "Pow",
  ],
]);

/** Operators whose gradient is not defined everywhere, or that jump. */
const JUMPS = new Set(["Floor", "Ceil", "Round", "Sign"]);

Deno.test("every DeepLIFT rule has a case, and every gradient rule a DeepLIFT rule", () => {
  const cases = new Set(CASES.map(keyOf));
  assert.deepEqual(Object.keys(LIFT_RULES).filter((key) => !cases.has(key)), []);
  assert.deepEqual(Object.keys(GRADIENT_RULES).filter((key) => !(key in LIFT_RULES)), []);
});

for (const c of CASES) {
  Deno.test(`DeepLIFT's contributions through ${nameOf(c)} add up to the change of the result`, async () => {
    const net = networkOf(c);
    const t = valuesOf(c, 21), t0 = valuesOf(c, 22);
    const y = await run(net, { t }, "y"), y0 = await run(net, { t: t0 }, "y");
    const cotangent = noise(y.shape, 23);
    const fed = liftGraph(net, { score: "y", target: "t", reference: "fed" });
    const found = await run(fed, { t, reference: t0, cotangent }, "contributions");
    const size = sizeOf(y.shape) / ROWS, inputs = t.data.length / ROWS;
    const changes = y.data.map((value, i) => cotangent.data[i] * (value - y0.data[i]));
    for (let row = 0; row < ROWS; row++) {
      const own = changes.subarray(row * size, (row + 1) * size);
      const total = found.data.subarray(row * inputs, (row + 1) * inputs).reduce(
        (a, b) => a + b,
        0,
      );
      const expected = own.reduce((a, b) => a + b, 0);
      const scale = own.reduce((a, b) => a + Math.abs(b), 0);
      assertClose(total, expected, 1e-5 * scale, `row ${row}`);
    }
    if (ELEMENTWISE.has(c.op)) near(found.data, changes, 1e-5, "each element's change");
  });
}

for (const c of CASES.filter(({ op, range }) => !JUMPS.has(op) && range?.[1] !== 90)) {
  Deno.test(`DeepLIFT's contributions through ${nameOf(c)} tend to the gradient's as the reference comes near`, async () => {
    const net = networkOf(c);
    const t = valuesOf(c, 31);
    // A step that float32 resolves, and small against the distance of values to corners and of maxima to each other.
    const step = noise(t.shape, 32);
    const t0 = floats(t.shape, t.data.map((value, i) => value - 1e-3 * step.data[i]));
    const shape = (await run(net, { t }, "y")).shape;
    const cotangent = noise(shape, 33);
    const fed = liftGraph(net, { score: "y", target: "t", reference: "fed" });
    const found = await run(fed, { t, reference: t0, cotangent }, "contributions");
    const gradient = gradientGraph(net, { score: "y", target: "t", table: GRADIENT_RULES });
    const slope = await run(gradient, { t, cotangent }, "gradient");
    const expected = slope.data.map((value, i) => value * (t.data[i] - t0.data[i]));
    near(found.data, expected, 1e-2, "the gradient times the step");
  });
}

Deno.test("equal passes contribute nothing, with the gradient as multipliers", async () => {
  const b = netOn(["N", 3]);
  put(b, "Sigmoid", ["x"], {}, "y");
  const graph = liftGraph(output(b, "y"), { score: "y", target: "x", reference: "fed" });
  const x = noise([ROWS, 3]);
  const feeds = { x, reference: x, cotangent: noise([ROWS, 3], 2) };
  const { data } = await run(graph, feeds, "contributions");
  assert.equal(data.length, 6);
  assertEvery(data, (value) => value === 0);
});

Deno.test("x · σ(x) written as two nodes contributes as one function does", async () => {
  const b = netOn(["N", 6]);
  put(b, "Mul", ["x", b.op("Sigmoid", ["x"])], {}, "y");
  const net = output(b, "y");
  const x = noise([ROWS, 6], 3), reference = noise([ROWS, 6], 4), cotangent = noise([ROWS, 6], 5);
  const graph = liftGraph(net, { score: "y", target: "x", reference: "fed" });
  const found = await run(graph, { x, reference, cotangent }, "contributions");
  const silu = (value: number) => value / (1 + Math.exp(-value));
  const expected = x.data.map((value, i) =>
    cotangent.data[i] * (silu(value) - silu(reference.data[i]))
  );
  near(found.data, expected, 1e-5, "the function's change");
});

Deno.test("a maximum's whole change goes to the element that decides it", async () => {
  const b = netOn(["N", 1, 1, 4]);
  put(b, "GlobalMaxPool", ["x"], {}, "y");
  const graph = liftGraph(output(b, "y"), { score: "y", target: "x", reference: "fed" });
  const cotangent = floats([2, 1, 1, 1], [1, 1]);
  const x = floats([2, 1, 1, 4], [1, 5, 2, 0, 1, 0, 2, 0]);
  const reference = floats([2, 1, 1, 4], [0, 1, 3, 0, 4, 0, 1, 0]);
  const { data } = await run(graph, { x, reference, cotangent }, "contributions");
  // From 3 to 5: the second is the maximum now. From 4 to 2: the first was it.
  // Not −0.
  assert.deepEqual(Array.from(data, (value) => value + 0), [0, 2, 0, 0, -2, 0, 0, 0]);
});

Deno.test("a choice that depends on the target is refused", () => {
  const b = netOn(["N", 3]);
  const positive = b.op("Greater", ["x", b.scalar(0)]);
  put(b, "Where", [positive, "x", b.scalar(0)], {}, "y");
  assert.throws(
    () => liftGraph(output(b, "y"), { score: "y", target: "x" }),
    (error) => error instanceof UnsupportedOpError && /what it chooses by/.test(error.message),
  );
});
