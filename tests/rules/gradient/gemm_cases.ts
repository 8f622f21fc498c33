import { float, int } from "../../../src/onnx/graph.ts";
import { type Doubles, doubles, normals, type RuleCase } from "../check_rule.ts";

interface Options {
  alpha?: number;
  beta?: number;
  transA?: number;
  transB?: number;
}

function general([a, b, c]: readonly Doubles[], o: Options): Doubles {
  const at = (m: Doubles, flip: number | undefined, i: number, j: number) =>
    flip ? m.data[j * m.shape[1] + i] : m.data[i * m.shape[1] + j];
  const rows = a!.shape[o.transA ? 1 : 0];
  const inner = a!.shape[o.transA ? 0 : 1];
  const columns = b!.shape[o.transB ? 0 : 1];
  const y = doubles([rows, columns]);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let total = 0;
      for (let k = 0; k < inner; k++) total += at(a!, o.transA, i, k) * at(b!, o.transB, k, j);
      total *= o.alpha ?? 1;
      if (c && c.data.length > 0) {
        // Broadcast from [columns], [1, columns], [rows, 1], [rows, columns] or one element.
        const [r, k] = c.shape.length === 2 ? c.shape : [1, c.shape[0] ?? 1];
        total += (o.beta ?? 1) * c.data[(r === 1 ? 0 : i) * k! + (k === 1 ? 0 : j)];
      }
      y.data[i * columns + j] = total;
    }
  }
  return y;
}

function gemm(
  name: string,
  shapes: number[][],
  o: Options = {},
  more: Partial<RuleCase> = {},
): RuleCase {
  return {
    name,
    op: "Gemm",
    attributes: {
      ...(o.alpha ? { alpha: float(o.alpha) } : {}),
      ...(o.beta ? { beta: float(o.beta) } : {}),
      ...(o.transA ? { transA: int(1) } : {}),
      ...(o.transB ? { transB: int(1) } : {}),
    },
    inputs: shapes.map((shape, i) => normals(shape, i + 1)),
    forward: (inputs) => general(inputs, o),
    ...more,
  };
}

/** NumPy's matmul by its definition. */
function product([left, right]: readonly Doubles[]): Doubles {
  const a = left!.shape.length === 1 ? [1, ...left!.shape] : [...left!.shape];
  const b = right!.shape.length === 1 ? [...right!.shape, 1] : [...right!.shape];
  const rank = Math.max(a.length, b.length);
  while (a.length < rank) a.unshift(1);
  while (b.length < rank) b.unshift(1);
  const batch = a.slice(0, -2).map((n, i) => Math.max(n, b[i]));
  const [rows, inner] = a.slice(-2) as [number, number];
  const columns = b.at(-1)!;
  const count = batch.reduce((x, y) => x * y, 1);
  const offset = (shape: number[], flat: number) => {
    let index = 0, unit = 1;
    for (let axis = batch.length - 1; axis >= 0; axis--) {
      const at = flat % batch[axis];
      flat = Math.floor(flat / batch[axis]);
      index += (shape[axis] === 1 ? 0 : at) * unit;
      unit *= shape[axis];
    }
    return index;
  };
  const y: number[] = [];
  for (let n = 0; n < count; n++) {
    const fromA = offset(a, n) * rows * inner, fromB = offset(b, n) * inner * columns;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let total = 0;
        for (let k = 0; k < inner; k++) {
          total += left!.data[fromA + i * inner + k] * right!.data[fromB + k * columns + j];
        }
        y.push(total);
      }
    }
  }
  const shape = [
    ...batch,
    ...(left!.shape.length === 1 ? [] : [rows]),
    ...(right!.shape.length === 1 ? [] : [columns]),
  ];
  return doubles(shape, y);
}

function matMul(
  name: string,
  a: number[],
  b: number[],
  more: Partial<RuleCase> = {},
): RuleCase {
  return {
    name,
    op: "MatMul",
    inputs: [normals(a, 1), normals(b, 2)],
    forward: product,
    ...more,
  };
}

const both = { wrt: [0, 1], free: [] };

/** Cases of the gradient rules of matrix products. */
export const CASES: readonly RuleCase[] = [
  gemm("plain", [[3, 4], [4, 5], [5]]),
  gemm("weights transposed, as fully connected layers are exported", [[3, 4], [5, 4], [5]], {
    transB: 1,
  }),
  gemm("scaled, with respect to all inputs", [[3, 4], [4, 5], [5]], { alpha: 0.5, beta: 3 }, {
    wrt: [0, 1, 2],
    free: [0],
  }),
  gemm("first transposed", [[4, 3], [4, 5], [3, 1]], { transA: 1 }, { wrt: [0, 1, 2], free: [] }),
  gemm("both transposed", [[4, 3], [5, 4], [1, 5]], { transA: 1, transB: 1, alpha: 2 }, {
    wrt: [0, 1, 2],
    free: [],
  }),
  gemm("second transposed, with respect to all", [[3, 4], [5, 4], [3, 5]], { transB: 1 }, {
    wrt: [0, 1, 2],
    free: [],
  }),
  gemm("without a third input", [[3, 4], [4, 5]]),
  gemm("operator set 9", [[3, 4], [5, 4], [5]], { transB: 1 }, { opset: 9, wrt: [0, 1] }),

  matMul("two matrices", [3, 4], [4, 5]),
  matMul("two matrices, both", [3, 4], [4, 5], both),
  matMul("rows of several images times weights", [2, 3, 4], [4, 5], { wrt: [0, 1], free: [0] }),
  matMul("two batch axes times weights", [2, 3, 2, 4], [4, 5]),
  matMul("batches", [2, 3, 4], [2, 4, 5], { wrt: [0, 1], free: [0, 1] }),
  matMul("batches broadcast", [2, 1, 3, 4], [3, 4, 2], both),
  matMul("matrix times batches", [3, 4], [2, 4, 5], both),
  matMul("vector times matrix", [4], [4, 5], both),
  matMul("matrix times vector", [3, 4], [4], both),
  matMul("batches times vector", [2, 3, 4], [4], both),
  matMul("vector times batches", [4], [2, 4, 3], both),
  matMul("operator set 9", [2, 3, 4], [4, 5], { opset: 9 }),
];
