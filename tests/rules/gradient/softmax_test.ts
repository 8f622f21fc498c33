import assert from "node:assert/strict";
import { floats, type Tensor } from "../../../src/base/tensor.ts";
import { gradientGraph } from "../../../src/onnx/backward.ts";
import { int } from "../../../src/onnx/graph.ts";
import { GRADIENT_RULES } from "../../../src/rules/gradient/mod.ts";
import { netOn, output, runNative } from "../../onnx/native.ts";
import { checkRules, doubles, normals, type RuleCase } from "../check_rule.ts";

/** Softmax over the product of `axes`, which must be neighbours. */
function softmax(axes: readonly number[], log: boolean): RuleCase["forward"] {
  return ([x]) => {
    const size = (from: number, to: number) => x!.shape.slice(from, to).reduce((a, b) => a * b, 1);
    const first = axes[0], last = axes.at(-1)! + 1;
    const outer = size(0, first), count = size(first, last), inner = size(last, x!.shape.length);
    const y = doubles(x!.shape);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const at = (k: number) => (o * count + k) * inner + i;
        let total = 0;
        for (let k = 0; k < count; k++) total += Math.exp(x!.data[at(k)]);
        for (let k = 0; k < count; k++) {
          const p = Math.exp(x!.data[at(k)]) / total;
          y.data[at(k)] = log ? Math.log(p) : p;
        }
      }
    }
    return y;
  };
}

function of(
  name: string,
  shape: number[],
  axes: number[],
  axis?: number,
  opset = 17,
): RuleCase[] {
  return ["Softmax", "LogSoftmax"].map((op) => ({
    name,
    op,
    opset,
    attributes: axis === undefined ? {} : { axis: int(axis) },
    inputs: [normals(shape)],
    forward: softmax(axes, op === "LogSoftmax"),
  }));
}

await checkRules("softmax", [
  ...of("classes", [3, 5], [1]),
  ...of("last of three axes by default", [2, 3, 4], [2]),
  ...of("inner axis", [2, 5, 3, 2], [1], 1),
  ...of("negative axis", [2, 5, 3], [1], -2),
  ...of("operator set 13", [2, 3, 4], [2], undefined, 13),
  ...of("operator set 12, classes", [3, 5], [1], undefined, 12),
  ...of("operator set 12 flattens from axis 1 by default", [2, 3, 4], [1, 2], undefined, 12),
  ...of("operator set 9 flattens from the stated axis", [2, 3, 4], [2], 2, 9),
]);

Deno.test("the gradient of a probability near 1 is right where 1 − p has no digits left: softmax and sigmoid", async () => {
  const logits = [[20, 1, 0.5, -3], [9, 8.9, -30, 2], [0, 0, 0, 0], [-25, 60, 30, 31]];
  const cases = [
    {
      op: "Softmax",
      expected: (x: readonly number[], c: readonly number[]) => {
        const p = exact(x);
        // Σ_i p_i (c_j − c_i): differences of cotangents, so that nothing cancels.
        return p.map((own, j) => own * p.reduce((sum, q, i) => sum + q * (c[j] - c[i]), 0));
      },
    },
    {
      op: "Sigmoid",
      expected: (x: readonly number[], c: readonly number[]) =>
        x.map((v, j) => c[j] / (1 + Math.exp(v)) / (1 + Math.exp(-v))),
    },
  ];
  for (const { op, expected } of cases) {
    const b = netOn([4, 4]);
    const p = b.op(op, ["x"]);
    const request = { score: p, target: "x", table: GRADIENT_RULES };
    const backward = gradientGraph(output(b, p), request);
    for (const cotangents of [[1, 0, 0, 0], [0, 1, 0, 0], [0.5, -2, 0, 1]]) {
      const { gradient } = await runNative(backward, {
        x: floats([4, 4], logits.flat()),
        cotangent: floats([4, 4], logits.flatMap(() => cotangents)),
      });
      logits.forEach((x, row) =>
        expected(x, cotangents).forEach((value, j) => {
          const off = Math.abs((gradient as Tensor).data[4 * row + j] - value);
          assert.ok(off <= 2e-6 * Math.abs(value) + 1e-37, `${op}, row ${row}, ${j}: ${off}`);
        })
      );
    }
  }
});

function exact(x: readonly number[]): number[] {
  const highest = Math.max(...x);
  const exps = x.map((value) => Math.exp(value - highest));
  const total = exps.reduce((a, b) => a + b);
  return exps.map((value) => value / total);
}
