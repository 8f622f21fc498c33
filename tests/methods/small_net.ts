/**
 * A network small enough to be computed by loops in float64, as a classifier and as functions: the oracle of methods that walk
 * back through a network.
 *
 * x [3, 3, 4] → 1×1 convolution with bias → ReLU (the target layer, [3, 3, 4]) → fully connected → ReLU → fully connected → logits [3].
 */

import { sha256 } from "../../src/base/json.ts";
import { createRng } from "../../src/base/rng.ts";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import type { Classifier } from "../../src/classifier/classifier.ts";
import { openClassifier } from "../../src/classifier/open.ts";
import { networkOf } from "../../src/runtime/network.ts";
import { sourceOf } from "../../src/classifier/source.ts";
import { int } from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { netOn, output, put } from "../onnx/native.ts";

export const COLOURS = 3, HEIGHT = 3, WIDTH = 4, CHANNELS = 3, HIDDEN = 7, CLASSES = 3;
export const CELLS = HEIGHT * WIDTH;

function numbers(name: string, count: number, size: number): Float64Array {
  const rng = createRng(11).split(name);
  // Rounded to float32, which is what the model's file holds.
  return Float64Array.from({ length: count }, () => Math.fround(size * rng.normal()));
}

/** The network's weights, row-major [outputs, inputs]. */
export const WEIGHTS = {
  conv: numbers("conv", CHANNELS * COLOURS, 1),
  convBias: numbers("conv bias", CHANNELS, 0.5),
  first: numbers("first", HIDDEN * CHANNELS * CELLS, 0.4),
  firstBias: numbers("first bias", HIDDEN, 0.3),
  second: numbers("second", CLASSES * HIDDEN, 1),
  secondBias: numbers("second bias", CLASSES, 0.3),
};

/** W x + b. */
export function affine(weights: Float64Array, bias: Float64Array, x: Float64Array): Float64Array {
  return bias.map((b, i) => {
    let sum = b;
    for (let j = 0; j < x.length; j++) sum += weights[i * x.length + j] * x[j];
    return sum;
  });
}

/** Wᵀ g. */
export function pulled(weights: Float64Array, g: Float64Array, inputs: number): Float64Array {
  return Float64Array.from(
    { length: inputs },
    (_, j) => g.reduce((sum, value, i) => sum + weights[i * inputs + j] * value, 0),
  );
}

/** The 1×1 convolution as a matrix [CHANNELS · CELLS, COLOURS · CELLS]. */
export const CONV_MATRIX = Float64Array.from(
  { length: CHANNELS * CELLS * COLOURS * CELLS },
  (_, at) => {
    const i = Math.floor(at / (COLOURS * CELLS)), j = at % (COLOURS * CELLS);
    const [k, cell] = [Math.floor(i / CELLS), i % CELLS];
    const [c, from] = [Math.floor(j / CELLS), j % CELLS];
    return cell === from ? WEIGHTS.conv[k * COLOURS + c] : 0;
  },
);
export const CONV_BIAS = Float64Array.from(
  { length: CHANNELS * CELLS },
  (_, i) => WEIGHTS.convBias[Math.floor(i / CELLS)],
);

/** All values of a forward pass. */
export interface Pass {
  readonly input: Float64Array;
  readonly convolved: Float64Array;
  readonly activation: Float64Array;
  readonly hidden: Float64Array;
  readonly passed: Float64Array;
  readonly logits: Float64Array;
}

const relu = (values: Float64Array) => values.map((value) => Math.max(value, 0));

/** The forward pass of one input. */
export function passOf(input: Float64Array): Pass {
  const convolved = affine(CONV_MATRIX, CONV_BIAS, input);
  return { input, convolved, ...headOf(relu(convolved)) };
}

/** The forward pass from the target layer on. */
export function headOf(activation: Float64Array): Omit<Pass, "input" | "convolved"> {
  const hidden = affine(WEIGHTS.first, WEIGHTS.firstBias, activation);
  const passed = relu(hidden);
  return {
    activation,
    hidden,
    passed,
    logits: affine(WEIGHTS.second, WEIGHTS.secondBias, passed),
  };
}

/** The network as a classifier with a batch of 3 on the native backend. */
export async function openSmallNet(): Promise<Classifier> {
  const b = netOn(["N", COLOURS, HEIGHT, WIDTH]);
  const weight = (shape: number[], values: Float64Array) =>
    b.initializer(floats(shape, Float32Array.from(values)));
  const { conv, convBias, first, firstBias, second, secondBias } = WEIGHTS;
  const convolved = b.op("Conv", [
    "x",
    weight([CHANNELS, COLOURS, 1, 1], conv),
    weight([CHANNELS], convBias),
  ]);
  put(b, "Relu", [convolved], {}, "maps");
  const flat = b.op("Flatten", ["maps"], { axis: int(1) });
  const hidden = b.op("Gemm", [
    flat,
    weight([HIDDEN, CHANNELS * CELLS], first),
    weight([HIDDEN], firstBias),
  ], { transB: int(1) });
  put(
    b,
    "Gemm",
    [b.op("Relu", [hidden]), weight([CLASSES, HIDDEN], second), weight([CLASSES], secondBias)],
    { transB: int(1) },
    "logits",
  );
  const bytes = writeModel(output(b, "logits"));
  return await openClassifier(
    sourceOf(networkOf({
      name: "small-net",
      task: "classifier",
      file: "small-net.onnx",
      sha256: sha256(bytes),
      source: "made for tests",
      licence: "as the project",
      input: {
        name: "x",
        width: WIDTH,
        height: HEIGHT,
        channels: "rgb",
        fit: "stretch",
        resize: "pillow-bicubic",
        scale: 1,
        mean: [0],
        std: [1],
      },
      output: {},
      classes: ["a", "b", "c"],
      placement: "half-pixel",
    }, bytes)),
    { backend: "native", batch: 3, layer: "maps" },
  );
}

/** The gradient of a logit at the input. `guided`: ReLUs let only positive values back. */
export function gradientOf({ hidden, convolved }: Pass, k: number, guided = false): Float64Array {
  const through = (g: Float64Array, x: Float64Array) =>
    g.map((value, i) => x[i] > 0 && (!guided || value > 0) ? value : 0);
  const atPassed = WEIGHTS.second.slice(k * HIDDEN, (k + 1) * HIDDEN);
  const atActivation = pulled(WEIGHTS.first, through(atPassed, hidden), CHANNELS * CELLS);
  return pulled(CONV_MATRIX, through(atActivation, convolved), COLOURS * CELLS);
}

/** Inputs of the network, [count, 3, 3, 4], and each as float64. */
export function smallInputs(count = 3): { inputs: Tensor; each: Float64Array[] } {
  const size = COLOURS * CELLS;
  const inputs = floats(
    [count, COLOURS, HEIGHT, WIDTH],
    Float32Array.from(numbers("inputs", count * size, 1)),
  );
  return {
    inputs,
    each: Array.from(
      { length: count },
      (_, i) => Float64Array.from(inputs.data.subarray(i * size, (i + 1) * size)),
    ),
  };
}

/** A map of one number a pixel from values [COLOURS, cells], beginning with 0. */
export function overColours(
  values: Float64Array,
  add: (sum: number, value: number) => number,
): Float64Array {
  return Float64Array.from({ length: CELLS }, (_, cell) => {
    let sum = 0;
    for (let c = 0; c < COLOURS; c++) sum = add(sum, values[c * CELLS + cell]);
    return sum;
  });
}

export const largest = (most: number, value: number): number => Math.max(most, Math.abs(value));
export const sum = (total: number, value: number): number => total + value;

export function softmaxOf(logits: Float64Array): Float64Array {
  const exps = logits.map((value) => Math.exp(value));
  const total = exps.reduce((a, b) => a + b);
  return exps.map((value) => value / total);
}
