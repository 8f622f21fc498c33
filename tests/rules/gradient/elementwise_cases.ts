import { type AnyTensor, floats, int64s, tensor } from "../../../src/base/tensor.ts";
import {
  type Doubles,
  doubles,
  eachIndex,
  flatOf,
  normals,
  type RuleCase,
  spaced,
  uniforms,
} from "../check_rule.ts";

/** NumPy's broadcasting by its definition. */
function broadcast(
  inputs: readonly Doubles[],
  f: (...elements: number[]) => number,
): Doubles {
  const rank = Math.max(...inputs.map((x) => x.shape.length));
  const aligned = inputs.map((x) => [
    ...Array.from({ length: rank - x.shape.length }, () => 1),
    ...x.shape,
  ]);
  const shape = aligned[0].map((_, axis) => Math.max(...aligned.map((s) => s[axis])));
  const y = doubles(shape);
  eachIndex(shape, (index, flat) => {
    y.data[flat] = f(
      ...inputs.map((x, i) =>
        x.data[flatOf(aligned[i], index.map((at, axis) => aligned[i][axis] === 1 ? 0 : at))]
      ),
    );
  });
  return y;
}

function of(
  op: string,
  f: (...elements: number[]) => number,
  name: string,
  inputs: AnyTensor[],
  more: Partial<RuleCase> = {},
): RuleCase {
  return { name, op, inputs, forward: (given) => broadcast(given, f), ...more };
}

const both = { wrt: [0, 1], free: [0, 1] };
const closed = { wrt: [0, 1], free: [] };
const add = (a: number, b: number) => a + b;
const sub = (a: number, b: number) => a - b;
const mul = (a: number, b: number) => a * b;
const div = (a: number, b: number) => a / b;
const image = [2, 3, 2, 4];
// Inside a network ONNX Runtime removes it.
const noDropout = { webgpu: "no kernel for a Dropout that makes a graph's output" };

/** Cases of the gradient rules of arithmetic and selection. */
export const CASES: readonly RuleCase[] = [
  of("Add", add, "equal shapes", [normals(image, 1), normals(image, 2)], both),
  of("Add", add, "bias of each channel", [normals(image, 1), normals([3, 1, 1], 2)], {
    wrt: [0, 1],
    free: [0],
  }),
  of("Add", add, "both broadcast", [normals([2, 1, 4], 1), normals([3, 1], 2)], closed),
  of("Add", add, "scalar", [normals(image, 1), normals([], 2)], closed),
  of("Sub", sub, "bias of each channel", [normals(image, 1), normals([3, 1, 1], 2)], closed),
  of("Sub", sub, "from a scalar", [normals([], 1), normals(image, 2)], closed),
  of("Mul", mul, "equal shapes", [normals(image, 1), normals(image, 2)], both),
  of("Mul", mul, "squeeze and excite: planes times one number each", [
    normals(image, 1),
    normals([2, 3, 1, 1], 2),
  ], both),
  of("Mul", mul, "by a scalar weight", [normals(image, 1), normals([], 2)]),
  of("Mul", mul, "missing leading axes", [normals([4], 1), normals(image, 2)], closed),
  of("Div", div, "equal shapes", [normals(image, 1), uniforms(image, 0.5, 2, 2)], both),
  of("Div", div, "planes by one number each", [
    normals(image, 1),
    uniforms([2, 3, 1, 1], -2, -0.5, 2),
  ], closed),
  of("Div", div, "a constant by a tensor", [normals([], 1), uniforms(image, 0.5, 2, 2)], {
    wrt: [1],
    free: [1],
  }),
  of("Sum", (a, b, c) => a + b + c, "three", [
    normals(image, 1),
    normals([3, 1, 1], 2),
    normals(image, 3),
  ], { wrt: [0, 1, 2], free: [] }),
  of("Mean", (a, b) => (a + b) / 2, "two", [normals(image, 1), normals([4], 2)], closed),
  of("Max", (a) => a!, "one", [normals(image, 1)]),
  of("Max", Math.max, "two", [spaced(image, 1), spaced(image, 2)], {
    ...closed,
    ...ties(Math.max),
  }),
  of("Max", Math.max, "three, broadcast", [
    spaced(image, 1),
    spaced([3, 1, 1], 2),
    floats([1], [0.31]),
  ], { wrt: [0, 1, 2], free: [] }),
  of("Min", Math.min, "two, broadcast", [spaced(image, 1), spaced([3, 1, 1], 2)], {
    wrt: [0, 1],
    free: [0],
  }),
  of("Min", Math.min, "equal elements share", [
    floats([4], [1, 2, 3, 3]),
    floats([4], [2, 2, 3, 1]),
  ], { ...closed, ...ties(Math.min) }),

  of("Pow", Math.pow, "square", [normals(image, 1), floats([], [2])]),
  of("Pow", Math.pow, "cube", [normals(image, 1), floats([1], [3])]),
  of("Pow", Math.pow, "fraction", [uniforms(image, 0.5, 2), floats([], [-0.75])]),
  of("Pow", Math.pow, "first power", [normals(image, 1), floats([], [1])]),
  of("Pow", Math.pow, "exponent of type int64", [normals(image, 1), int64s([], [2])]),
  of("Pow", Math.pow, "exponents 0 to 3, at 0 too", [
    floats([2, 4], [0.5, 2, 0, 1.5, 0, 1, 2, 0.5]),
    floats([4], [0, 1, 2, 3]),
  ], {
    twin: ([x, p], u) => [
      doubles(
        x!.shape,
        x!.data.map((e, i) => {
          const power = p!.data[i % 4];
          return power === 0 ? 0 : u.data[i] * power * e ** (power - 1);
        }),
      ),
    ],
  }),

  ...[false, true].map((broad): RuleCase => ({
    name: broad ? "broadcast" : "equal shapes",
    op: "Where",
    inputs: [
      tensor("bool", [2, 3], Uint8Array.of(1, 0, 1, 0, 0, 1)),
      normals([2, 3], 1),
      normals(broad ? [3] : [2, 3], 2),
    ],
    wrt: [1, 2],
    free: [],
    forward: (inputs) => broadcast(inputs, (c, a, b) => c ? a! : b!),
  })),
  {
    name: "missing axes and axes of extent 1",
    op: "Expand",
    inputs: [normals([3, 1], 1), int64s([3], [2, 3, 4])],
    free: [],
    forward: ([x]) => broadcast([x!, doubles([2, 3, 4])], (a) => a!),
  },
  of("Identity", (a) => a!, "tensor", [normals(image, 1)]),
  of("Dropout", (a) => a!, "inference", [normals(image, 1)], { refusedBy: noDropout }),
  of("Dropout", (a) => a!, "operator set 9", [normals(image, 1)], {
    opset: 9,
    refusedBy: noDropout,
  }),
];

/** The gradient of a maximum or minimum where elements may be equal: equal parts, as PyTorch's `maximum` has it. */
function ties(f: (...elements: number[]) => number): Partial<RuleCase> {
  return {
    twin: (inputs, u) =>
      inputs.map((x) =>
        doubles(
          x.shape,
          x.data.map((e, j) => {
            const all = inputs.map((other) => other.data[j]);
            const taken = all.filter((other) => other === f(...all)).length;
            return e === f(...all) ? u.data[j] / taken : 0;
          }),
        )
      ),
  };
}
