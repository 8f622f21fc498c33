import { floats, type Tensor } from "../../../src/base/tensor.ts";
import { gradientGraph } from "../../../src/onnx/backward.ts";
import { GRADIENT_RULES } from "../../../src/rules/gradient/mod.ts";
import { netOn, output, runNative } from "../../onnx/native.ts";
import { checkRules } from "../check_rule.ts";
import { CASES } from "./softmax_cases.ts";
import { assertClose } from "../../assert_close.ts";

await checkRules("softmax", CASES);

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
          const found = (gradient as Tensor).data[4 * row + j];
          assertClose(found, value, { relative: 2e-6, absolute: 1e-37 }, `${op}, row ${row}, ${j}`);
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
