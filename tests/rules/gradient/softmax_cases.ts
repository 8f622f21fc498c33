import { int } from "../../../src/onnx/graph.ts";
import { doubles, normals, type RuleCase } from "../check_rule.ts";

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

/** Cases of the gradient rules of softmax. */
export const CASES: readonly RuleCase[] = [
  ...of("classes", [3, 5], [1]),
  ...of("last of three axes by default", [2, 3, 4], [2]),
  ...of("inner axis", [2, 5, 3, 2], [1], 1),
  ...of("negative axis", [2, 5, 3], [1], -2),
  ...of("operator set 13", [2, 3, 4], [2], undefined, 13),
  ...of("operator set 12, classes", [3, 5], [1], undefined, 12),
  ...of("operator set 12 flattens from axis 1 by default", [2, 3, 4], [1, 2], undefined, 12),
  ...of("operator set 9 flattens from the stated axis", [2, 3, 4], [2], 2, 9),
];
