import assert from "node:assert/strict";
import { createRng, type Rng } from "../../src/base/rng.ts";
import { floats, sizeOf, type Tensor } from "../../src/base/tensor.ts";
import { arrangement } from "../../src/onnx/axis_factors.ts";
import { type GraphBuilder, int, ints, string } from "../../src/onnx/graph.ts";
import { traceAxes } from "../../src/onnx/image_axes.ts";
import { inferShapes } from "../../src/onnx/shapes.ts";
import { simplify } from "../../src/onnx/simplify.ts";
import { netOn, noise, output, put, runNative } from "./native.ts";

const EXTENTS = [2, 6, 8, 12] as const;

/** How a value of a graph on "x" lies on the picture, as it is traced. */
function traced(b: GraphBuilder, value: string): string {
  const graph = simplify({ ...b.graph, outputs: [{ name: value, type: "float32" }] });
  const axes = traceAxes(graph, inferShapes(graph), "x").get(value);
  return axes ? arrangement(axes) : "lost";
}

/** A tensor [2, 6, 8, 12] that holds the number of each element's batch, channel, row or column. */
function coordinates(axis: number): Tensor {
  const steps = sizeOf(EXTENTS.slice(axis + 1));
  return floats(
    EXTENTS,
    Float32Array.from({ length: sizeOf(EXTENTS) }, (_, i) => Math.floor(i / steps) % EXTENTS[axis]),
  );
}

/** By how much a tensor's values grow from place to place along an axis; `undefined` where that differs. */
function stepAlong({ shape, data }: Tensor, axis: number): number | undefined {
  const stride = sizeOf(shape.slice(axis + 1));
  let step: number | undefined;
  for (let i = 0; i < data.length; i++) {
    if (Math.floor(i / stride) % shape[axis] === shape[axis] - 1) continue;
    const own = data[i + stride] - data[i];
    if (step !== undefined && own !== step) return undefined;
    step = own;
  }
  return step ?? 0;
}

/**
 * How moved elements lie on the picture, from where they came: ONNX Runtime moves the number of each element's batch, channel, row and column.
 */
async function observed(b: GraphBuilder, value: string): Promise<string> {
  const graph = output(b, value);
  const moved: Tensor[] = [];
  for (const axis of EXTENTS.keys()) {
    moved.push((await runNative(graph, { x: coordinates(axis) }))[value] as Tensor);
  }
  const [n, c, y, x] = moved;
  const { shape } = n;
  const steps = (axis: number) => [n, c, y, x].map((tensor) => stepAlong(tensor, axis));
  const whole = (axis: number, of: 2 | 3) => {
    const along = steps(axis), step = along[of];
    return step !== undefined && step * shape[axis] === EXTENTS[of] &&
      along.every((other, i) => i === of || other === 0);
  };
  const changes = (tensor: Tensor, axis: number) => stepAlong(tensor, axis) !== 0;
  if ([c, y, x].some((tensor) => changes(tensor, 0))) return "batched";
  if ([1, 2, 3].some((axis) => changes(n, axis))) return "no picture";
  if (whole(2, 2) && whole(3, 3)) return "channels-first";
  if (whole(2, 3) && whole(3, 2)) return "exchanged";
  if (whole(1, 2) && whole(2, 3)) return "channels-last";
  return "no picture";
}

function shuffled<T>(values: readonly T[], rng: Rng): T[] {
  const left = [...values];
  return values.map(() => left.splice(Math.floor(rng.uniform() * left.length), 1)[0]);
}

Deno.test("rows and columns are found where ONNX Runtime moves them, in 200 random rearrangements", async () => {
  const rng = createRng(7);
  const seen = new Map<string, number>();
  for (let round = 0; round < 200; round++) {
    const b = netOn(EXTENTS);
    const pick = <T>(of: readonly T[]) => of[Math.floor(rng.uniform() * of.length)];
    // Channels, rows and columns are split in two each, moved, and joined to four axes again.
    const [c, y, x] = [pick([1, 2, 3, 6]), pick([1, 2, 4, 8]), pick([1, 3, 4, 12])];
    const factors = [2, c, 6 / c, y, 8 / y, x, 12 / x];
    const split = b.op("Reshape", ["x", b.ints(factors)]);
    const orders = [
      [0, 1, 2, 3, 4, 5, 6],
      [0, 1, 2, 4, 6, 3, 5],
      [0, 2, 4, 6, 1, 3, 5],
      [0, 3, 4, 5, 6, 1, 2],
      [0, 1, 2, 5, 6, 3, 4],
      [0, ...shuffled([1, 2, 3, 4, 5, 6], rng)],
      shuffled([0, 1, 2, 3, 4, 5, 6], rng),
    ];
    const perm = pick(orders);
    const moved = b.op("Transpose", [split], { perm: ints(perm) });
    const extents = perm.map((axis) => factors[axis]);
    const cuts = rng.uniform() < .6
      ? pick([[1, 3, 5], [1, 5, 6], [1, 4, 6]])
      : shuffled([1, 2, 3, 4, 5, 6], rng).slice(0, 3).sort();
    const joined = [0, ...cuts].map((from, i) => sizeOf(extents.slice(from, [...cuts, 7][i])));
    const value = put(b, "Reshape", [moved, b.ints(joined)], {}, "moved");
    const own = traced(b, value), right = await observed(b, value);
    const kinds = ["channels-first", "exchanged", "channels-last", "batched"];
    const message = `${factors} moved by ${perm} to ${joined}`;
    assert.equal(kinds.includes(own) ? own : "no picture", right, message);
    seen.set(right, (seen.get(right) ?? 0) + 1);
  }
  for (const kind of ["channels-first", "channels-last", "exchanged", "batched", "no picture"]) {
    assert.ok((seen.get(kind) ?? 0) >= 5, `${kind} ${seen.get(kind)} times`);
  }
});

/** Attention of one head over tokens [N, T, C]. */
function attention(b: GraphBuilder, tokens: string, c: number): string {
  const part = (seed: number) => b.op("MatMul", [tokens, b.initializer(noise([c, c], seed))]);
  const keys = b.op("Transpose", [part(2)], { perm: ints([0, 2, 1]) });
  const weights = put(
    b,
    "Softmax",
    [b.op("MatMul", [part(1), keys])],
    { axis: int(-1) },
    "weights",
  );
  return b.op("MatMul", [weights, part(3)]);
}

/** [N, C, h, w] as tokens [N, h·w, C]. */
function asTokens(b: GraphBuilder, x: string): string {
  const [, c] = b.shape(x);
  const flat = b.op("Reshape", [x, b.ints([0, c as number, -1])]);
  return b.op("Transpose", [flat], { perm: ints([0, 2, 1]) });
}

Deno.test("rows and columns come back from tokens, with and without a class token", () => {
  for (const classToken of [false, true]) {
    const b = netOn(["N", 4, 6, 10]);
    let tokens = asTokens(b, "x");
    if (classToken) {
      const one = b.op("Expand", [
        b.initializer(noise([1, 1, 4])),
        b.op("Concat", [
          b.op("Slice", [b.op("Shape", ["x"]), b.ints([0]), b.ints([1])]),
          b.ints([1, 4]),
        ], { axis: int(0) }),
      ]);
      tokens = b.op("Concat", [one, tokens], { axis: int(1) });
    }
    const mixed = put(b, "Add", [tokens, attention(b, tokens, 4)], {}, "mixed");
    const cells = classToken
      ? b.op("Slice", [mixed, b.ints([1]), b.ints([61]), b.ints([1])])
      : mixed;
    const back = b.op("Transpose", [cells], { perm: ints([0, 2, 1]) });
    const map = put(b, "Reshape", [back, b.ints([0, 4, 6, 10])], {}, "map");
    const last = put(b, "Transpose", [map], { perm: ints([0, 2, 3, 1]) }, "last");
    assert.deepEqual(
      [mixed, map, last, "weights"].map((value) => traced(b, value)),
      ["tokens", "channels-first", "channels-last", "other"],
    );
  }
});

Deno.test("windows are samples of a batch until they are put together again", () => {
  const b = netOn(["N", 8, 12, 4]);
  const split = b.op("Reshape", ["x", b.ints([-1, 2, 4, 3, 4, 4])]);
  const swap = { perm: ints([0, 1, 3, 2, 4, 5]) };
  const parts = b.op("Reshape", [b.op("Transpose", [split], swap), b.ints([-1, 16, 4])]);
  const windows = put(b, "Reshape", [parts, b.ints([-1, 4, 4, 4])], {}, "windows");
  const joined = b.op("Reshape", [attention(b, parts, 4), b.ints([-1, 2, 3, 4, 4, 4])]);
  const map = put(
    b,
    "Reshape",
    [b.op("Transpose", [joined], swap), b.ints([-1, 8, 12, 4])],
    {},
    "map",
  );
  assert.deepEqual([windows, map].map((value) => traced(b, value)), ["batched", "channels-last"]);
});

Deno.test("heads, groups and channels are told from rows and columns", () => {
  const b = netOn([1, 8, 6, 6]);
  const heads = b.op("Reshape", ["x", b.ints([1, 2, 4, 36])]);
  const rows = b.op("Transpose", [heads], { perm: ints([0, 1, 3, 2]) });
  put(b, "MatMul", [rows, heads], {}, "over cells");
  put(b, "MatMul", [heads, rows], {}, "over channels");
  put(b, "Reshape", [heads, b.ints([1, 8, 6, 6])], {}, "map");
  assert.deepEqual(
    [heads, "over cells", "over channels", "map"].map((value) => traced(b, value)),
    ["listed", "listed", "other", "channels-first"],
  );
});

Deno.test("after a reshape that mixes rows and columns, a wide convolution sees a picture again", () => {
  const b = netOn(["N", 4, 8, 8]);
  const mixed = put(b, "Reshape", ["x", b.ints([0, 16, 4, 4])], {}, "mixed");
  const conv = (k: number, name: string) =>
    put(b, "Conv", [mixed, b.initializer(noise([4, 16, k, k]))], {}, name);
  assert.deepEqual(
    [mixed, conv(1, "narrow"), conv(3, "wide")].map((value) => traced(b, value)),
    ["other", "other", "channels-first"],
  );
});

Deno.test("rows and columns that are rolled, padded, joined or taken every other stay such; pooled ones go", () => {
  const b = netOn(["N", 4, 8, 8]);
  const slice = (from: number, to: number, step = 1) =>
    b.op("Slice", ["x", b.ints([from]), b.ints([to]), b.ints([2]), b.ints([step])]);
  const values = [
    put(b, "Concat", [slice(3, 8), slice(0, 3)], { axis: int(2) }, "rolled"),
    put(b, "Pad", ["x", b.ints([0, 0, 1, 0, 0, 0, 1, 3])], {}, "padded"),
    slice(0, 8, 2),
    put(b, "DepthToSpace", ["x"], { blocksize: int(2) }, "larger"),
    put(b, "Resize", ["x", "", b.floats([4], [1, 1, 2, 2])], {}, "resized"),
    put(b, "ReduceMean", ["x"], { axes: ints([3]) }, "strip"),
    put(b, "GlobalAveragePool", ["x"], {}, "pooled"),
  ];
  assert.deepEqual(
    values.map((value) => traced(b, value)),
    [...new Array(5).fill("channels-first"), "other", "other"],
  );
});

Deno.test("pixels shuffled out of channels, or repeated, are rows and columns of a finer grid", () => {
  const b = netOn(["N", 8, 4, 6]);
  const split = b.op("Reshape", ["x", b.ints([0, 2, 2, 2, 4, 6])]);
  const moved = b.op("Transpose", [split], { perm: ints([0, 1, 4, 2, 5, 3]) });
  put(b, "Reshape", [moved, b.ints([0, 2, 8, 12])], {}, "shuffled");
  const single = b.op("Reshape", ["x", b.ints([0, 8, 4, 1, 6, 1])]);
  const repeated = b.op("Expand", [single, b.ints([1, 1, 1, 2, 1, 2])]);
  put(b, "Reshape", [repeated, b.ints([0, 8, 8, 12])], {}, "repeated");
  const conv = b.initializer(noise([4, 8, 3, 3]));
  put(b, "Conv", ["repeated", conv], { strides: ints([2, 2]) }, "conv");
  // Rows and channels of one row as one axis are none.
  put(
    b,
    "Reshape",
    [b.op("Transpose", ["x"], { perm: ints([0, 2, 1, 3]) }), b.ints([0, 1, 32, 6])],
    {},
    "joined",
  );
  assert.deepEqual(
    ["shuffled", "repeated", "conv", "joined"].map((value) => traced(b, value)),
    ["channels-first", "channels-first", "channels-first", "other"],
  );
});

Deno.test("sums over named axes keep the rows and columns of those that stay", () => {
  const b = netOn(["N", 4, 6, 10]);
  const tokens = asTokens(b, "x");
  const equation = (text: string) => ({ equation: string(text) });
  const weights = put(b, "Einsum", [tokens, tokens], equation("bqc,bkc->bqk"), "weights");
  const mixed = put(b, "Einsum", [weights, tokens], equation("bqk,bkc->bqc"), "mixed");
  const projected = b.op("Einsum", ["x", b.initializer(noise([4, 5]))], equation("bchw,cd->bdhw"));
  assert.deepEqual(
    [mixed, projected, weights].map((value) => traced(b, value)),
    ["tokens", "channels-first", "other"],
  );
});
