/** DeepLIFT through normalisations: complete at a reference of zeros, and as the rule is written, in float64. */

import { floats, sizeOf, type Tensor } from "../../../src/base/tensor.ts";
import { type GraphBuilder, int, ints, type Value } from "../../../src/onnx/graph.ts";
import { liftGraph } from "../../../src/rules/lift/contributions.ts";
import { netOn, noise, output, put, runNative } from "../../onnx/native.ts";
import { near } from "../doubles.ts";
import { assertClose } from "../../assert_close.ts";

const ROWS = 3;
const FEATURES = 16, IMAGE = [4, 5, 6];

const axis = { axes: ints([1]) };
const weights = (b: GraphBuilder, shape: readonly number[], seed: number) =>
  b.initializer(noise(shape, seed));
const norm = (b: GraphBuilder, x: Value) =>
  b.op("Clip", [b.op("ReduceL2", [x], axis), b.scalar(1e-12)]);
const normalised = (b: GraphBuilder, x: Value) => b.op("Div", [x, norm(b, x)]);
const deviation = (b: GraphBuilder, x: Value) =>
  b.op("Sqrt", [
    b.op("Add", [b.op("ReduceMean", [b.op("Mul", [x, x])], axis), b.scalar(1e-6)]),
  ]);
const pooled = (b: GraphBuilder, x: Value) =>
  b.op("Flatten", [b.op("GlobalAveragePool", [b.op("Relu", [x])])]);
const withAffine = (b: GraphBuilder, op: string, x: Value, size: number, groups = 0) =>
  b.op(
    op,
    [x, weights(b, [size], 1), weights(b, [size], 2)],
    groups ? { num_groups: int(groups) } : {},
  );

/** Heads up to the last features, by the shape of what they get. */
const HEADS: readonly {
  name: string;
  shape?: readonly number[];
  opset?: number;
  features(b: GraphBuilder): Value;
}[] = [
  { name: "x over its norm", features: (b) => normalised(b, "x") },
  {
    name: "x over its norm, expanded",
    features: (b) => b.op("Div", ["x", b.op("Expand", [norm(b, "x"), b.op("Shape", ["x"])])]),
  },
  {
    name: "pixels over their norms",
    shape: IMAGE,
    features: (b) => pooled(b, normalised(b, "x")),
  },
  {
    name: "a norm after a convolution",
    shape: IMAGE,
    features: (b) => normalised(b, pooled(b, b.op("Conv", ["x", weights(b, [6, 4, 3, 3], 3)]))),
  },
  {
    name: "x times the inverse of its norm",
    features: (b) => b.op("Mul", [b.op("Reciprocal", [norm(b, "x")]), "x"]),
  },
  {
    name: "TensorFlow's l2_normalize",
    features: (b) => {
      const least = b.op("Max", [b.op("ReduceSumSquare", ["x"], axis), b.scalar(1e-12)]);
      return b.op("Mul", ["x", b.op("Reciprocal", [b.op("Sqrt", [least])])]);
    },
  },
  {
    name: "x times one over its deviation",
    features: (b) => b.op("Mul", ["x", b.op("Div", [b.scalar(1), deviation(b, "x")])]),
  },
  {
    name: "x times a power of its variance",
    features: (b) => {
      const root = deviation(b, "x");
      const power = b.op("Pow", [b.op("Mul", [root, root]), b.scalar(-0.5)]);
      return b.op("Mul", ["x", power]);
    },
  },
  {
    name: "x times a gain over its deviation",
    features: (b) => {
      const gain = noise([FEATURES], 4);
      gain.data[3] = 0;
      const inverse = b.op("Mul", [b.op("Reciprocal", [deviation(b, "x")]), b.initializer(gain)]);
      return b.op("Mul", ["x", inverse]);
    },
  },
  {
    name: "a root written as a power",
    shape: IMAGE,
    features: (b) =>
      b.op("Flatten", [
        b.op("Pow", [b.op("ReduceSumSquare", ["x"], { axes: ints([2, 3]) }), b.scalar(0.5)]),
      ]),
  },
  {
    name: "ReduceL2 of planes",
    shape: IMAGE,
    features: (b) => b.op("Flatten", [b.op("ReduceL2", ["x"], { axes: ints([2, 3]) })]),
  },
  {
    name: "LayerNormalization",
    features: (b) => withAffine(b, "LayerNormalization", "x", FEATURES),
  },
  {
    name: "InstanceNormalization",
    shape: IMAGE,
    features: (b) => pooled(b, withAffine(b, "InstanceNormalization", "x", 4)),
  },
  {
    name: "GroupNormalization",
    shape: IMAGE,
    opset: 21,
    features: (b) => pooled(b, withAffine(b, "GroupNormalization", "x", 4, 2)),
  },
  {
    name: "LpNormalization",
    features: (b) => b.op("LpNormalization", ["x"], { axis: int(1), p: int(2) }),
  },
  {
    name: "LpNormalization of pixels",
    shape: IMAGE,
    features: (b) => pooled(b, b.op("LpNormalization", ["x"], { axis: int(1), p: int(2) })),
  },
];

/** Numbers as after a ReLU; in the last row every second one, and the whole first plane and pixel of an image, are 0. */
function rectified(shape: readonly number[], seed: number): Tensor {
  const { data } = noise([ROWS, ...shape], seed);
  const size = sizeOf(shape), plane = sizeOf(shape.slice(1));
  return floats(
    [ROWS, ...shape],
    data.map((value, i) => {
      const [row, at] = [Math.floor(i / size), i % size];
      const empty = shape.length > 1 ? at < plane || at % plane === 0 : at % 2 === 0;
      return row === ROWS - 1 && empty ? 0 : Math.max(value, 0);
    }),
  );
}

for (const { name, shape = [FEATURES], opset, features } of HEADS) {
  Deno.test(`DeepLIFT's contributions add up from a reference of zeros through ${name}`, async () => {
    const b = netOn(["N", ...shape], opset);
    const last = features(b);
    const count = b.shape(last)[1] as number;
    put(b, "Gemm", [last, weights(b, [count, 5], 6), weights(b, [5], 7)], {}, "y");
    const net = output(b, "y");
    const graph = liftGraph(net, { score: "y", target: "x" });
    for (let seed = 10; seed < 15; seed++) {
      const x = rectified(shape, seed);
      const zeros = floats(x.shape, new Float32Array(x.data.length));
      const cotangent = noise([ROWS, 5], 20 + seed);
      const [y, y0] = [(await runNative(net, { x })).y!, (await runNative(net, { x: zeros })).y!];
      const { contributions } = await runNative(graph, { x, cotangent });
      const size = sizeOf(shape);
      for (let row = 0; row < ROWS; row++) {
        const changes = [0, 1, 2, 3, 4].map((k) => 5 * row + k).map((i) =>
          cotangent.data[i] * (Number(y.data[i]) - Number(y0.data[i]))
        );
        const expected = changes.reduce((a, change) => a + change);
        const scale = changes.reduce((a, change) => a + Math.abs(change), 0);
        const own = [...contributions!.data].slice(row * size, (row + 1) * size).map(Number);
        const found = own.reduce((a, value) => a + value);
        assertClose(found, expected, 2e-6 * scale, `row ${row}, whose changes are ${scale}`);
      }
    }
  });
}

/** The contributions of x / ‖x‖ to cotangent · x / ‖x‖, in float64. */
function twin(x: readonly number[], x0: readonly number[], m: readonly number[]): number[] {
  const length = (v: readonly number[]) => Math.hypot(...v);
  const [c, c0] = [length(x), length(x0)];
  const squares = c * c + c0 * c0;
  const ofNorm = x.reduce((sum, a, i) => sum - m[i] * (x0[i] / c0 * c + a / c * c0) / squares, 0);
  return x.map((a, i) =>
    (m[i] * (c + c0) / squares + ofNorm * (a + x0[i]) / (c + c0)) * (a - x0[i])
  );
}

Deno.test("contributions through a norm are those of the rule as it is written", async () => {
  const x = noise([1, 6], 30), reference = noise([1, 6], 31), cotangent = noise([1, 6], 32);
  const small = floats([1, 6], reference.data.map((value) => value / 1000));
  const written: Record<string, (b: GraphBuilder) => [string, Value[]]> = {
    "as a quotient": (b) => ["Div", ["x", norm(b, "x")]],
    "as a product": (b) => ["Mul", ["x", b.op("Reciprocal", [norm(b, "x")])]],
  };
  for (const [name, node] of Object.entries(written)) {
    const b = netOn(["N", 6]);
    put(b, ...node(b), {}, "y");
    const net = output(b, "y");
    const graph = liftGraph(net, { score: "y", target: "x", reference: "fed" });
    for (const start of [reference, small]) {
      const { contributions } = await runNative(graph, { x, reference: start, cotangent });
      const expected = twin([...x.data], [...start.data], [...cotangent.data]);
      const change = x.data.reduce(
        (sum, a, i) =>
          sum +
          cotangent.data[i] *
            (a / Math.hypot(...x.data) - start.data[i] / Math.hypot(...start.data)),
        0,
      );
      assertClose(expected.reduce((a, v) => a + v), change, 1e-12, "the twin is complete");
      near(contributions!.data as Float32Array, expected, 1e-5, name);
    }
    // From zeros all of a component's change is its own.
    const graph0 = liftGraph(net, { score: "y", target: "x" });
    const { contributions } = await runNative(graph0, { x, cotangent });
    const y = (await runNative(net, { x })).y as Tensor;
    const own = [...y.data].map((value, i) => value * cotangent.data[i]);
    near(contributions!.data as Float32Array, own, 1e-6, `${name}, from zeros`);
  }
});

Deno.test("the factors of a quotient contribute what hand numbers say", async () => {
  // From 2/4 to 3/1: w = 1/17, so that a gets 1/17 · 1 + 16/17 · 1/4 and c (1/17 · 2 + 16/17 · 3) · (1 − 1/4).
  const b = netOn(["N", 2]);
  const cut = (at: number) => b.op("Slice", ["x", b.ints([at]), b.ints([at + 1]), b.ints([1])]);
  put(b, "Div", [cut(0), cut(1)], {}, "y");
  const graph = liftGraph(output(b, "y"), { score: "y", target: "x", reference: "fed" });
  const feeds = {
    x: floats([2, 2], [3, 1, 3, -1]),
    reference: floats([2, 2], [2, 4, 2, 1]),
    cotangent: floats([2, 1], [1, 1]),
  };
  const { contributions } = await runNative(graph, feeds);
  // From 2/1 to 3/−1, over the pole: the two orders cancel for a.
  near(contributions!.data as Float32Array, [5 / 17, 37.5 / 17, 0, -5], 1e-6, "both");
});
