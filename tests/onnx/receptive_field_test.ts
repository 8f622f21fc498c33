import assert from "node:assert/strict";
import { createRng, type Rng } from "../../src/base/rng.ts";
import { floats, sizeOf } from "../../src/base/tensor.ts";
import { float, type GraphBuilder, int, ints, string, type Value } from "../../src/onnx/graph.ts";
import { receptiveFields } from "../../src/onnx/receptive_field.ts";
import type { AxisField } from "../../src/onnx/field.ts";
import { netOn, output, runNative } from "./native.ts";
import { assertMore } from "../assert_that.ts";

/** A convolution with weights between 1 and 2. */
function conv(
  b: GraphBuilder,
  x: Value,
  kernel: readonly [number, number],
  options: {
    stride?: readonly [number, number];
    pads?: readonly number[];
    dilation?: readonly [number, number];
    auto?: string;
    channels?: number;
  } = {},
): Value {
  const { stride = [1, 1], dilation = [1, 1], auto, channels = 1 } = options;
  const shape = [channels, b.shape(x)[1] as number, ...kernel];
  const rng = createRng(sizeOf(shape) + b.graph.nodes.length);
  const weights = Float32Array.from({ length: sizeOf(shape) }, () => 1 + rng.uniform());
  return b.op("Conv", [x, b.initializer(floats(shape, weights))], {
    strides: ints(stride),
    dilations: ints(dilation),
    ...auto ? { auto_pad: string(auto) } : { pads: ints(options.pads ?? [0, 0, 0, 0]) },
  });
}

const square = (k: number): [number, number] => [k, k];

function fieldOf(b: GraphBuilder, value: Value) {
  return receptiveFields(output(b, value), "x").get(value);
}

function both(centre: number, stride: number, size: number, global = false) {
  const axis: AxisField = { centre, stride, size };
  return { y: axis, x: axis, global };
}

Deno.test("the face-api expression net's last block has stride 16, centre 15 and size 211", () => {
  // Convolution weights do not matter, so that the separable layers are one convolution each.
  const b = netOn(["N", 3, 112, 112]);
  let x = "x";
  const layer = (x: Value, stride: number) =>
    conv(b, x, [3, 3], { stride: square(stride), auto: "SAME_UPPER", channels: 2 });
  for (let block = 0; block < 4; block++) {
    const one = b.op("Relu", [layer(x, 2)]);
    const two = layer(one, 1);
    const three = layer(b.op("Relu", [b.op("Add", [one, two])]), 1);
    const sum = b.op("Add", [b.op("Add", [one, two]), three]);
    const four = layer(b.op("Relu", [sum]), 1);
    x = b.op("Relu", [b.op("Add", [sum, four])]);
  }
  assert.deepEqual(b.shape(x), ["N", 2, 7, 7]);
  assert.deepEqual(fieldOf(b, x), both(15, 16, 211));
});

Deno.test("mini-Xception's class maps have stride 8, centre 3 and size 59", () => {
  const b = netOn(["N", 1, 64, 64]);
  const same = (x: Value) => conv(b, x, [3, 3], { auto: "SAME_UPPER" });
  const block = (x: Value) => {
    const long = b.op("MaxPool", [same(b.op("Relu", [same(x)]))], {
      kernel_shape: ints([3, 3]),
      strides: ints([2, 2]),
      auto_pad: string("SAME_UPPER"),
    });
    return b.op("Add", [long, conv(b, x, [1, 1], { stride: [2, 2], auto: "SAME_UPPER" })]);
  };
  const stem = conv(b, conv(b, "x", [3, 3], { stride: [2, 2] }), [3, 3]);
  const maps = same(block(block(stem)));
  assert.deepEqual(b.shape(maps), ["N", 1, 8, 8]);
  assert.deepEqual(fieldOf(b, maps), both(3, 8, 59));
});

Deno.test("EfficientNet-lite0's features have stride 32, centre 31 and size 851", () => {
  const b = netOn(["N", 3, 224, 224]);
  const same = (x: Value, kernel: number, stride: number) =>
    conv(b, x, square(kernel), { stride: square(stride), auto: "SAME_UPPER" });
  let x = same("x", 3, 2);
  const blocks = [[3, 1, 1], [3, 2, 2], [5, 2, 2], [3, 2, 3], [5, 1, 3], [5, 2, 4], [3, 1, 1]];
  for (const [kernel, stride, repeats] of blocks) {
    x = same(x, kernel!, stride!);
    for (let i = 1; i < repeats!; i++) x = b.op("Add", [x, same(x, kernel!, 1)]);
  }
  assert.deepEqual(b.shape(x), ["N", 1, 7, 7]);
  assert.deepEqual(fieldOf(b, x), both(31, 32, 851));
});

/** First and last pixel that cell i sees along an axis. */
function seen({ centre, stride, size }: AxisField, i: number): [number, number] {
  const first = centre + i * stride - (size - 1) / 2;
  assert(Number.isInteger(first), "a field without interpolation ends on pixels");
  return [first, first + size - 1];
}

/**
 * Brightens every pixel by itself and looks which cells change. All weights are positive, so that nothing cancels. No
 * cell may change with a pixel outside its field. A cell whose field lies within the image changes with all of it
 * ("solid"), or up to all of its four edges (where dilation or branches leave holes); at the border padding hides some.
 */
async function assertFieldsByPerturbation(b: GraphBuilder, value: Value, kind: "solid" | "edges") {
  const [height, width] = b.shape("x").slice(2) as [number, number];
  const field = fieldOf(b, value)!;
  const pixels = height * width;
  const rng = createRng(7);
  const base = Float32Array.from({ length: pixels }, () => rng.uniform());
  const data = new Float32Array((pixels + 1) * pixels);
  for (let i = 0; i <= pixels; i++) data.set(base, i * pixels);
  for (let i = 0; i < pixels; i++) data[(i + 1) * pixels + i] += 1e4;
  const images = floats([pixels + 1, 1, height, width], data);
  const result = (await runNative(b.graph, { x: images }))[value];
  const [, channels, h, w] = result.shape as [number, number, number, number];
  const values = result.data as Float32Array;
  const changes = (pixel: number, cell: number) => {
    for (let c = 0; c < channels; c++) {
      const now = values[((pixel + 1) * channels + c) * h * w + cell];
      if (Math.abs(now - values[c * h * w + cell]) > 1) return true;
    }
    return false;
  };
  let interior = 0;
  for (let cell = 0; cell < h * w; cell++) {
    const [top, bottom] = seen(field.y, Math.floor(cell / w));
    const [left, right] = seen(field.x, cell % w);
    const whole = top >= 0 && left >= 0 && bottom < height && right < width;
    if (whole) interior++;
    const met = { top: height, bottom: -1, left: width, right: -1 };
    for (let pixel = 0; pixel < pixels; pixel++) {
      const [y, x] = [Math.floor(pixel / width), pixel % width];
      const inside = y >= top && y <= bottom && x >= left && x <= right;
      const changed = changes(pixel, cell);
      if (changed ? !inside : inside && whole && kind === "solid") {
        assert.fail(`cell ${cell} of [${h}, ${w}], pixel ${y},${x}: changed ${changed}`);
      }
      if (!changed) continue;
      met.top = Math.min(met.top, y);
      met.bottom = Math.max(met.bottom, y);
      met.left = Math.min(met.left, x);
      met.right = Math.max(met.right, x);
    }
    if (whole) assert.deepEqual(met, { top, bottom, left, right }, `cell ${cell}`);
  }
  assertMore(interior, 0, "no cell has its whole field within the image");
}

Deno.test("a cell changes exactly with the pixels of its field: strides, one-sided padding, SAME", async () => {
  const b = netOn(["N", 1, 19, 16]);
  let x = conv(b, "x", [3, 2], { stride: [2, 1], pads: [0, 1, 1, 0], channels: 2 });
  x = b.op("Relu", [x]);
  x = conv(b, x, [3, 4], { stride: [1, 2], auto: "SAME_UPPER" });
  x = conv(b, x, [2, 4], { auto: "SAME_LOWER" });
  await assertFieldsByPerturbation(b, x, "solid");
});

Deno.test("a cell changes exactly with the pixels of its field: pools, residual branches, joins", async () => {
  const b = netOn(["N", 1, 20, 17]);
  const stem = conv(b, "x", [3, 3], { pads: [1, 1, 1, 1], channels: 2 });
  const pooled = b.op("MaxPool", [stem], {
    kernel_shape: ints([3, 2]),
    strides: ints([2, 2]),
    pads: ints([1, 0, 0, 0]),
    ceil_mode: int(1),
  });
  const long = conv(b, pooled, [3, 3], { pads: [1, 2, 1, 0], channels: 2 });
  const sum = b.op("Add", [long, conv(b, pooled, [1, 1], { channels: 2 })]);
  const other = conv(b, pooled, [1, 3], { pads: [0, 0, 0, 2] });
  const joined = b.op("Concat", [sum, other], { axis: int(1) });
  const averaged = b.op("AveragePool", [joined], {
    kernel_shape: ints([2, 2]),
    count_include_pad: int(1),
    pads: ints([0, 0, 1, 1]),
  });
  await assertFieldsByPerturbation(b, averaged, "edges");
});

Deno.test("a cell changes exactly with the pixels of its field: pads, slices and other layouts", async () => {
  const b = netOn(["N", 1, 14, 12]);
  const padded = b.op("Pad", ["x", b.ints([0, 0, 2, 1, 0, 0, 0, 3])]);
  const first = conv(b, padded, [3, 3], { channels: 4 });
  const last = b.op("Transpose", [first], { perm: ints([0, 2, 3, 1]) });
  const sliced = b.op("Slice", [
    last,
    b.ints([1, 2]),
    b.ints([100, -1]),
    b.ints([1, 2]),
    b.ints([2, 1]),
  ]);
  const scaled = b.op("Mul", [sliced, b.floats([4], [1, 2, 1, 3])]);
  const mixed = b.op("MatMul", [scaled, b.floats([4, 2], [1, 2, 1, 1, 2, 1, 1, 1])]);
  const back = b.op("Transpose", [mixed], { perm: ints([0, 3, 1, 2]) });
  const wide = b.op("Reshape", [back, b.ints([0, 1, 2, 7, 11])]);
  const narrow = b.op("Squeeze", [wide, b.ints([1])]);
  await assertFieldsByPerturbation(b, conv(b, narrow, [2, 2]), "solid");
});

Deno.test("a cell changes only within its field, up to its edges, with dilated kernels", async () => {
  const b = netOn(["N", 1, 18, 15]);
  let x = conv(b, "x", [3, 2], { dilation: [2, 3], pads: [2, 0, 1, 2] });
  x = conv(b, x, [2, 3], { stride: [2, 1], dilation: [3, 1] });
  await assertFieldsByPerturbation(b, x, "edges");
});

function randomLayer(b: GraphBuilder, x: Value, rng: Rng): Value {
  const pick = (from: number, to: number) => from + rng.below(to - from + 1);
  const kernel: [number, number] = [pick(1, 3), pick(1, 3)];
  const stride: [number, number] = [
    pick(1, Math.min(2, kernel[0])),
    pick(1, Math.min(2, kernel[1])),
  ];
  const pads = [pick(0, kernel[0] - 1), pick(0, kernel[1] - 1), pick(0, 1), pick(0, 1)]
    .map((p, i) => Math.min(p, kernel[i % 2] - 1));
  switch (rng.below(4)) {
    case 0:
      return conv(b, x, kernel, { stride, auto: rng.below(2) ? "SAME_UPPER" : "SAME_LOWER" });
    case 1:
      return b.op("MaxPool", [x], {
        kernel_shape: ints(kernel),
        strides: ints(stride),
        pads: ints(pads),
      });
    case 2: {
      const odd = conv(b, x, [kernel[0], 3], { auto: "SAME_LOWER" });
      return b.op("Add", [odd, b.op("Relu", [x])]);
    }
    default:
      return conv(b, x, kernel, { stride, pads });
  }
}

Deno.test("a cell changes exactly with the pixels of its field, in random nets", async () => {
  for (let seed = 0; seed < 12; seed++) {
    const rng = createRng(seed);
    const b = netOn(["N", 1, 22 + rng.below(5), 22 + rng.below(5)]);
    let x: Value = "x";
    for (let depth = 0; depth < 3; depth++) {
      const [h, w] = b.shape(x).slice(2) as [number, number];
      if (h > 3 && w > 3) x = randomLayer(b, x, rng);
    }
    await assertFieldsByPerturbation(b, x, "solid");
  }
});

Deno.test("upsampling by 2 gives cells half as far apart around the same places", () => {
  const b = netOn(["N", 1, 32, 32]);
  const coarse = conv(b, "x", [4, 4], { stride: [4, 4] });
  const scales = b.floats([4], [1, 1, 2, 2]);
  const resize = (mode: string, coordinates: string) =>
    b.op("Resize", [coarse, "", scales], {
      mode: string(mode),
      coordinate_transformation_mode: string(coordinates),
    });
  const [linear, nearest, asymmetric] = [
    resize("linear", "half_pixel"),
    resize("nearest", "half_pixel"),
    resize("linear", "asymmetric"),
  ];
  const transposed = b.op("ConvTranspose", [coarse, b.floats([1, 1, 2, 2], [1, 1, 1, 1])], {
    strides: ints([2, 2]),
  });
  const shuffled = b.op("DepthToSpace", [conv(b, coarse, [1, 1], { channels: 4 })], {
    blocksize: int(2),
  });
  const fields = receptiveFields(
    output(b, linear, nearest, asymmetric, transposed, shuffled),
    "x",
  );
  // Coarse cells are centred on 1.5, 5.5 …: their halves on 0.5, 2.5 …
  assert.deepEqual(fields.get(linear), both(0.5, 2, 8));
  assert.deepEqual(fields.get(nearest), both(0.5, 2, 4));
  assert.deepEqual(fields.get(shuffled), both(0.5, 2, 4));
  assert.deepEqual(fields.get(transposed), both(0.5, 2, 4));
  assert.deepEqual(fields.get(asymmetric), both(1.5, 2, 8));
});

Deno.test("a squeeze-and-excitation gate leaves the field and marks it global, and so it stays", () => {
  const b = netOn(["N", 1, 16, 16]);
  const first = conv(b, "x", [3, 3], { stride: [2, 2], channels: 3 });
  const squeezed = b.op("ReduceMean", [first], { axes: ints([2, 3]) });
  const gated = b.op("Mul", [first, b.op("Sigmoid", [conv(b, squeezed, [1, 1], { channels: 3 })])]);
  const after = conv(b, gated, [3, 3]);
  const fields = receptiveFields(output(b, first, squeezed, after), "x");
  assert.deepEqual(fields.get(first), both(1, 2, 3));
  assert.equal(fields.get(squeezed), undefined);
  assert.deepEqual(fields.get(gated), both(1, 2, 3, true));
  assert.deepEqual(fields.get(after), both(3, 2, 7, true));
});

Deno.test("normalising over the whole image marks a field global, over channels it does not", () => {
  const b = netOn(["N", 2, 16, 16]);
  const scale = b.floats([2], [1, 1]);
  const instance = b.op("InstanceNormalization", ["x", scale, scale], { epsilon: float(1e-5) });
  const lrn = b.op("LRN", ["x"], { size: int(3) });
  const last = b.op("Transpose", ["x"], { perm: ints([0, 2, 3, 1]) });
  const layer = b.op("LayerNormalization", [last, scale]);
  const fields = receptiveFields(output(b, instance, lrn, layer), "x");
  assert.deepEqual(fields.get(instance), both(0, 1, 1, true));
  assert.deepEqual(fields.get(lrn), both(0, 1, 1));
  assert.deepEqual(fields.get(layer), both(0, 1, 1));
});

Deno.test("the field ends where height and width change places, are flattened or lose their grid", () => {
  const b = netOn(["N", 1, 16, 16]);
  const first = conv(b, "x", [2, 2], { stride: [2, 2], channels: 2 });
  const swapped = b.op("Transpose", [first], { perm: ints([0, 1, 3, 2]) });
  const flat = b.op("Flatten", [first]);
  const unequal = b.op("Concat", [first, conv(b, "x", [9, 9], { channels: 2 })], { axis: int(1) });
  const odd = b.ops("Strange", [first], {}, 1, "org.example")[0];
  b.known.set(odd, { type: "float32", shape: ["N", 2, 8, 8] });
  b.graph.domains["org.example"] = 1;
  const fields = receptiveFields(output(b, swapped, flat, unequal, odd), "x");
  for (const value of [swapped, flat, unequal, odd]) assert.equal(fields.get(value), undefined);
  assert.deepEqual(fields.get(first), both(0.5, 2, 2));
});

Deno.test("a channels-last input, as Keras exports it, is followed", () => {
  const b = netOn(["N", 20, 24, 3]);
  const first = b.op("Transpose", ["x"], { perm: ints([0, 3, 1, 2]) });
  const maps = conv(b, first, [3, 3], { stride: [2, 2], auto: "SAME_UPPER" });
  assert.deepEqual(b.shape(maps), ["N", 1, 10, 12]);
  assert.deepEqual(fieldOf(b, maps), both(1, 2, 3));
});
