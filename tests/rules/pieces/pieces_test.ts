/**
 * Pieces against the definitions that the gradient rules are tested with: at the point they have the operator's value, and their slope, by
 * differences over long steps, is the definition's own gradient. A piece with a corner, or another piece than the gradient's at a corner,
 * would have another slope.
 */

import assert from "node:assert/strict";
import { floats, sizeOf, type Tensor, toNumbers } from "../../../src/base/tensor.ts";
import { createRng } from "../../../src/base/rng.ts";
import { derivatives } from "../../../src/experiments/axioms/_derivative.ts";
import { emptyGraph, type Graph } from "../../../src/onnx/graph.ts";
import { inferShapes } from "../../../src/onnx/shapes.ts";
import { writeModel } from "../../../src/onnx/model_file.ts";
import { GRADIENT_RULES } from "../../../src/rules/gradient/mod.ts";
import { PIECES, STEPS } from "../../../src/rules/pieces/mod.ts";
import { pieceGraph } from "../../../src/rules/pieces/piece_graph.ts";
import { toFloats } from "../../../src/runtime/session.ts";
import { openSession } from "../../../src/runtime/open.ts";
import { assertClose } from "../../assert_close.ts";
import { type Doubles, doubles, type RuleCase } from "../check_rule.ts";

/** Operators without corners where they are defined. */
const SMOOTH = [
  ...["Conv", "ConvTranspose", "Gemm", "MatMul", "AveragePool", "GlobalAveragePool"],
  ...["BatchNormalization", "LayerNormalization", "InstanceNormalization", "GroupNormalization"],
  ...["LpNormalization", "LRN", "Softmax", "LogSoftmax", "Sigmoid", "Tanh", "Softplus", "Softsign"],
  ...["Mish", "Gelu", "com.microsoft.Gelu", "Neg", "Exp", "Log", "Sqrt", "Reciprocal", "Erf"],
  ...["Sin", "Cos", "Add", "Sub", "Mul", "Div", "Pow", "Sum", "Mean", "Where", "Expand"],
  ...["Identity", "Dropout", "ReduceSum", "ReduceMean", "ReduceSumSquare", "ReduceL2"],
  ...["ReduceLogSumExp", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat"],
  ...["Split", "Slice", "Pad", "Gather", "Tile", "Cast", "SpaceToDepth", "DepthToSpace"],
  ...["Resize", "Upsample"],
];

Deno.test("every operator with a gradient rule has a piece, or is known to be smooth", () => {
  const known = [...Object.keys(PIECES), ...STEPS, ...SMOOTH].sort();
  assert.deepEqual(Object.keys(GRADIENT_RULES).sort(), known);
});

/** The tensors keep a distance of .05 from their corners: these steps cross them. */
const LONG = { longest: 0.25, count: 12 };
/** Of operators that such steps would take out of their domain, or that are bent more sharply. */
const SHORT = { longest: 2 ** -6, count: 8 };
const BENT = [
  ...["Div", "Pow", "Log", "Sqrt", "Reciprocal", "Softsign", "LRN", "LayerNormalization"],
  ...["InstanceNormalization", "GroupNormalization"],
];
/** Of the size of the slope in a random direction. */
const TOLERANCE = 2e-4;
/** Of values of float32, relative. */
const ROUNDING = 3e-7;

const toDoubles = (value: RuleCase["inputs"][number]): Doubles =>
  value ? doubles(value.shape, toNumbers(value)) : doubles([0]);

/** One node with one input that moves; the others are weights. */
function graphOf(c: RuleCase, moving: number): Graph {
  const graph = emptyGraph("case", c.opset ?? 17);
  if (c.domain) graph.domains[c.domain] = 1;
  const { count, checked } = c.outputs ?? { count: 1, checked: 0 };
  graph.nodes.push({
    name: "node",
    op: c.op,
    domain: c.domain ?? "",
    inputs: c.inputs.map((input, i) => input ? `x${i}` : ""),
    outputs: Array.from({ length: count }, (_, i) => i === checked ? "y" : `other${i}`),
    attributes: c.attributes ?? {},
  });
  c.inputs.forEach((input, i) => {
    if (!input) return;
    if (i === moving) graph.inputs.push({ name: `x${i}`, type: "float32", shape: input.shape });
    else graph.initializers.set(`x${i}`, input);
  });
  const { shape } = inferShapes({ ...graph, outputs: [] }).get("y")!;
  graph.outputs = [{ name: "y", type: "float32", shape: shape! }];
  return graph;
}

/** Σ cotangent · y along a direction of one input: by the definition in float64. */
function slopeByDefinition(
  c: RuleCase,
  moving: number,
  direction: Doubles,
  u: Float64Array,
): number {
  const inputs = c.inputs.map(toDoubles);
  if (c.twin) {
    const twins = c.twin(inputs, doubles(c.forward(inputs).shape, u));
    const { data } = twins[(c.wrt ?? [0]).indexOf(moving)];
    return data.reduce((sum, g, i) => sum + g * direction.data[i], 0);
  }
  const step = 1e-6;
  const at = (sign: number) => {
    const moved = inputs.map((input, i) =>
      i === moving
        ? doubles(input.shape, input.data.map((x, j) => x + sign * step * direction.data[j]))
        : input
    );
    return c.forward(moved).data.reduce((sum, y, i) => sum + y * u[i], 0);
  };
  return (at(1) - at(-1)) / (2 * step);
}

async function check(c: RuleCase, moving: number): Promise<void> {
  const x = c.inputs[moving] as Tensor;
  const { graph, moved, outputs } = pieceGraph(graphOf(c, moving), `x${moving}`);
  const session = await openSession(writeModel(graph), "native", { threads: 1 });
  try {
    const expected = c.forward(c.inputs.map(toDoubles)).data;
    const rng = createRng(3).split(`${c.op} ${c.name}`);
    const u = expected.map(() => 2 * rng.uniform() - 1);
    const direction = doubles(x.shape, Array.from({ length: sizeOf(x.shape) }, () => rng.normal()));
    const valueAt = async (step: number) => {
      const there = floats(x.shape, x.data.map((value, i) => value + step * direction.data[i]));
      const results = await session.run({ [`x${moving}`]: x, [moved]: there });
      return (await toFloats(results[outputs.get("y")!])).data;
    };
    const own = await valueAt(0);
    assertClose(own, expected, { relative: 1e-5, absolute: 1e-5 }, "the value at the point");
    const total = (y: Float32Array) => y.reduce((sum, value, i) => sum + value * u[i], 0);
    const size = Math.hypot(...own.map((value, i) => value * u[i]));
    const [slope] = await derivatives(
      async (step) => [[total(await valueAt(step)), total(await valueAt(-step))]],
      { value: total(own), rounding: ROUNDING * size, slope: 0 },
      BENT.includes(c.op) ? SHORT : LONG,
      ({ value, uncertainty }) => uncertainty <= 5e-5 * (1 + Math.abs(value)),
    );
    const wanted = slopeByDefinition(c, moving, direction, u);
    assertClose(slope.value, wanted, { relative: TOLERANCE, absolute: TOLERANCE }, "the slope");
  } finally {
    await session.dispose();
  }
}

const folder = new URL("../gradient/", import.meta.url);
for (const { name } of Deno.readDirSync(folder)) {
  if (!name.endsWith("_cases.ts")) continue;
  const { CASES } = await import(new URL(name, folder).href) as { CASES: readonly RuleCase[] };
  Deno.test(`pieces have the value and the slope of the operators of ${name}`, async (t) => {
    for (const c of CASES.filter(({ refusedBy }) => !refusedBy?.native)) {
      for (const moving of c.wrt ?? [0]) {
        await t.step(`${c.op}: ${c.name}, input ${moving}`, () => check(c, moving));
      }
    }
  });
}
