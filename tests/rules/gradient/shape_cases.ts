import { type Attribute, float, int, ints, string } from "../../../src/onnx/graph.ts";
import { floats, int64s } from "../../../src/base/tensor.ts";
import { type Doubles, doubles, eachIndex, flatOf, normals, type RuleCase } from "../check_rule.ts";

function of(
  op: string,
  name: string,
  inputs: RuleCase["inputs"],
  forward: RuleCase["forward"],
  attributes: Record<string, Attribute> = {},
  more: Partial<RuleCase> = {},
): RuleCase {
  return { name, op, inputs, forward, attributes, ...more };
}

/** Each element of the result is the element of x at `from(index)`; null: 0. */
function taken(
  shape: readonly number[],
  from: (index: readonly number[]) => readonly number[] | null,
): RuleCase["forward"] {
  return ([x]) => {
    const y = doubles(shape);
    eachIndex(shape, (index, flat) => {
      const at = from(index);
      if (at && at.every((i, axis) => i >= 0 && i < x!.shape[axis])) {
        y.data[flat] = x!.data[flatOf(x!.shape, at)];
      }
    });
    return y;
  };
}

const same = (shape: readonly number[]): RuleCase["forward"] => ([x]) => doubles(shape, x!.data);
const vector = (...values: number[]) => int64s([values.length], values);

/** x[start : start + count·step : step] along each axis. */
function cut(starts: number[], counts: number[], steps: number[]): RuleCase["forward"] {
  return taken(counts, (index) => index.map((i, axis) => starts[axis] + i * steps[axis]));
}

function joined(axis: number): RuleCase["forward"] {
  return (inputs) => {
    const shape = [...inputs[0].shape];
    shape[axis] = inputs.reduce((sum, x) => sum + x.shape[axis], 0);
    return doubles(shape, concatenated(inputs, shape, axis));
  };
}

function concatenated(inputs: readonly Doubles[], shape: readonly number[], axis: number) {
  const y: number[] = [];
  eachIndex(shape, (index) => {
    let at = index[axis], k = 0;
    while (at >= inputs[k].shape[axis]) at -= inputs[k++].shape[axis];
    const from = inputs[k];
    y.push(from.data[flatOf(from.shape, index.map((i, a) => a === axis ? at : i))]);
  });
  return y;
}

const image = [2, 3, 4, 5];
const x = normals(image);
const back = 2 ** 31 - 1;

/** Cases of the gradient rules of rearrangement. */
export const CASES: readonly RuleCase[] = [
  of("Reshape", "rows, batch kept by 0", [x, vector(0, -1)], same([2, 60])),
  of("Reshape", "batch as −1", [x, vector(-1, 12, 5)], same([2, 12, 5])),
  of("Reshape", "batch into the rows", [x, vector(-1, 20)], same([6, 20])),
  of("Flatten", "planes", [x], same([2, 60])),
  of("Flatten", "axis 2", [x], same([6, 20]), { axis: int(2) }),
  of("Squeeze", "axes as input", [normals([2, 3, 1, 1]), vector(2, 3)], same([2, 3])),
  of("Squeeze", "axes as attribute", [normals([2, 3, 1, 1])], same([2, 3]), {
    axes: ints([2, 3]),
  }, { opset: 11 }),
  of("Squeeze", "all axes of extent 1", [normals([2, 3, 1, 1])], same([2, 3]), {}, { free: [] }),
  of("Unsqueeze", "axes as input", [normals([2, 3]), vector(2, -1)], same([2, 3, 1, 1])),
  of("Unsqueeze", "axes as attribute", [normals([2, 3])], same([2, 1, 3]), {
    axes: ints([1]),
  }, { opset: 11 }),
  of(
    "Transpose",
    "height and width, as EmoNet does",
    [x],
    taken([2, 3, 5, 4], ([n, c, h, w]) => [n!, c!, w!, h!]),
    { perm: ints([0, 1, 3, 2]) },
  ),
  of(
    "Transpose",
    "a cycle",
    [x],
    taken([2, 4, 5, 3], ([n, h, w, c]) => [n!, c!, h!, w!]),
    { perm: ints([0, 2, 3, 1]) },
  ),
  of(
    "Transpose",
    "reversed by default",
    [normals([2, 3, 4])],
    taken([4, 3, 2], (i) => [
      i[2],
      i[1],
      i[0],
    ]),
  ),

  of("Concat", "channels", [x, normals([2, 1, 4, 5], 2), normals([2, 2, 4, 5], 3)], joined(1), {
    axis: int(1),
  }, { wrt: [0, 2], free: [0, 2] }),
  of(
    "Concat",
    "last axis, with a weight in front",
    [normals([2, 3], 1), normals([2, 4], 2)],
    joined(1),
    {
      axis: int(-1),
    },
    { wrt: [1], free: [] },
  ),
  of("Concat", "batches", [normals([2, 3], 1), normals([1, 3], 2)], joined(0), {
    axis: int(0),
  }, { wrt: [0], free: [] }),
  of(
    "Split",
    "second part only",
    [x, vector(1, 2)],
    cut([0, 1, 0, 0], [2, 2, 4, 5], [1, 1, 1, 1]),
    {
      axis: int(1),
    },
    { outputs: { count: 2, checked: 1 } },
  ),
  of("Split", "equal parts", [x], cut([0, 0, 0, 0], [2, 3, 2, 5], [1, 1, 1, 1]), {
    axis: int(2),
  }, { outputs: { count: 2, checked: 0 } }),
  of("Split", "parts as attribute", [x], cut([0, 0, 0, 3], [2, 3, 4, 2], [1, 1, 1, 1]), {
    axis: int(3),
    split: ints([3, 2]),
  }, { opset: 11, outputs: { count: 2, checked: 1 } }),

  of(
    "Slice",
    "middle of two axes",
    [x, vector(1, -4), vector(3, -1), vector(2, 3)],
    cut(
      [0, 0, 1, 1],
      [2, 3, 2, 3],
      [1, 1, 1, 1],
    ),
  ),
  of(
    "Slice",
    "to the end",
    [x, vector(1), vector(back), vector(1)],
    cut(
      [0, 1, 0, 0],
      [2, 2, 4, 5],
      [1, 1, 1, 1],
    ),
  ),
  of(
    "Slice",
    "all of the open batch",
    [x, vector(0, 1), vector(back, 3), vector(0, 2)],
    cut(
      [0, 0, 1, 0],
      [2, 3, 2, 5],
      [1, 1, 1, 1],
    ),
  ),
  of(
    "Slice",
    "every second and third",
    [x, vector(0, 1), vector(back, 5), vector(2, 3), vector(2, 3)],
    cut(
      [0, 0, 0, 1],
      [2, 3, 2, 2],
      [1, 1, 2, 3],
    ),
  ),
  of(
    "Slice",
    "backwards",
    [x, vector(-1), vector(-back - 1), vector(3), vector(-1)],
    cut(
      [0, 0, 0, 4],
      [2, 3, 4, 5],
      [1, 1, 1, -1],
    ),
  ),
  of(
    "Slice",
    "backwards by twos",
    [x, vector(3), vector(-back), vector(3), vector(-2)],
    cut(
      [0, 0, 0, 3],
      [2, 3, 4, 2],
      [1, 1, 1, -2],
    ),
    {},
    { refusedBy: { webgpu: "its Slice itself takes other elements for steps under −1" } },
  ),
  of("Slice", "bounds as attributes", [x], cut([0, 0, 1, 0], [2, 3, 2, 4], [1, 1, 1, 1]), {
    starts: ints([1, 0]),
    ends: ints([3, -1]),
    axes: ints([2, 3]),
  }, { opset: 9 }),

  of(
    "Pad",
    "constant border",
    [x, vector(0, 0, 1, 2, 0, 0, 0, 3), floats([], [0])],
    taken(
      [2, 3, 5, 10],
      ([n, c, h, w]) => [n!, c!, h! - 1, w! - 2],
    ),
  ),
  of(
    "Pad",
    "negative pads cut",
    [x, vector(0, 0, -1, 2, 0, 0, 0, -3)],
    taken(
      [2, 3, 3, 4],
      ([n, c, h, w]) => [n!, c!, h! + 1, w! - 2],
    ),
  ),
  of(
    "Pad",
    "axes as input",
    [x, vector(1, 2), null, vector(2)],
    taken(
      [2, 3, 7, 5],
      ([n, c, h, w]) => [n!, c!, h! - 1, w!],
    ),
    {},
    { opset: 18 },
  ),
  of(
    "Pad",
    "pads as attribute",
    [x],
    taken(
      [2, 3, 5, 6],
      ([n, c, h, w]) => [n!, c!, h! - 1, w!],
    ),
    { pads: ints([0, 0, 1, 0, 0, 0, 0, 1]), mode: string("constant"), value: float(0) },
    {
      opset: 9,
    },
  ),

  of(
    "Gather",
    "one index",
    [x, int64s([], [1])],
    taken([2, 4, 5], ([n, h, w]) => [n!, 1, h!, w!]),
    {
      axis: int(1),
    },
  ),
  of(
    "Gather",
    "repeated and negative indices",
    [x, vector(2, 0, -2, 2)],
    taken(
      [2, 3, 4, 5],
      ([n, c, i, w]) => [n!, c!, [2, 0, 2, 2][i!], w!],
    ),
    { axis: int(2) },
  ),
  of(
    "Gather",
    "a table of indices",
    [x, int64s([2, 2], [0, 4, 4, 1])],
    taken(
      [2, 3, 4, 2, 2],
      ([n, c, h, i, j]) => [n!, c!, h!, [0, 4, 4, 1][i! * 2 + j!]],
    ),
    { axis: int(3) },
  ),
  of(
    "Tile",
    "two axes",
    [x, vector(1, 2, 1, 3)],
    taken(
      [2, 6, 4, 15],
      ([n, c, h, w]) => [n!, c! % 3, h!, w! % 5],
    ),
  ),
  of(
    "SpaceToDepth",
    "blocks of 2",
    [normals([2, 2, 4, 6])],
    taken(
      [2, 8, 2, 3],
      ([n, c, h, w]) => {
        const block = Math.floor(c! / 2);
        return [n!, c! % 2, h! * 2 + Math.floor(block / 2), w! * 2 + block % 2];
      },
    ),
    { blocksize: int(2) },
  ),
  of(
    "DepthToSpace",
    "DCR",
    [normals([2, 8, 2, 3])],
    taken(
      [2, 2, 4, 6],
      ([n, c, h, w]) => {
        const block = (h! % 2) * 2 + w! % 2;
        return [n!, block * 2 + c!, Math.floor(h! / 2), Math.floor(w! / 2)];
      },
    ),
    { blocksize: int(2) },
  ),
  of(
    "DepthToSpace",
    "CRD",
    [normals([2, 8, 2, 3])],
    taken(
      [2, 2, 4, 6],
      ([n, c, h, w]) => {
        const block = (h! % 2) * 2 + w! % 2;
        return [n!, c! * 4 + block, Math.floor(h! / 2), Math.floor(w! / 2)];
      },
    ),
    { blocksize: int(2), mode: string("CRD") },
  ),
  of("Cast", "to the same type", [x], ([x]) => x!, { to: int(1) }),
];
