/** Contexts of given activations and gradients without any model, for tests of methods that need nothing else. */

import { createRng } from "../../src/base/rng.ts";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import type { Classifier } from "../../src/classifier/classifier.ts";
import { createContext, type Method, type MethodContext } from "../../src/methods/mod.ts";
import { assertClose } from "../assert_close.ts";

/** Activations and gradients at a target layer, both [rows, channels, height, width]. */
export interface MadeLayer {
  readonly activation: Tensor;
  readonly gradient: Tensor;
}

/** From lists of channels, each a list of rows of cells; one sample. */
export function madeLayer(
  activation: readonly (readonly (readonly number[])[])[],
  gradient: readonly (readonly (readonly number[])[])[] = activation,
): MadeLayer {
  const shape = [1, activation.length, activation[0].length, activation[0][0].length];
  return {
    activation: floats(shape, activation.flat(2)),
    gradient: floats(shape, gradient.flat(2)),
  };
}

/** Normal activations and gradients; `rectified` ones have no negative activation, as after a ReLU. */
export function randomLayer(
  shape: readonly [number, number, number, number],
  { rectified, seed = 11 }: { readonly rectified: boolean; readonly seed?: number },
): MadeLayer {
  const rng = createRng(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  const values = (least: number) =>
    floats(shape, Float32Array.from({ length: size }, () => Math.max(least, rng.normal())));
  return { activation: values(rectified ? 0 : -Infinity), gradient: values(-Infinity) };
}

/** A context in which the first `count` rows (by default all) are samples, the rest padding. */
export function contextOf(
  { activation, gradient }: MadeLayer,
  count: number = activation.shape[0],
): MethodContext {
  const probabilities = floats([activation.shape[0], 1], new Float32Array(activation.shape[0]));
  const forward = { count, activation, bypass: {}, probabilities, dispose: () => {} };
  const classifier = {
    gradient: () => Promise.resolve({ gradient, mean: probabilities }),
  } as unknown as Classifier;
  return createContext(classifier, forward, "probability", { seed: 1, keys: [] });
}

/** A method's raw map of each row, [rows][cells], signed: what it yields, or Σ w·A in float64. */
export async function rawMapsOf(
  method: Method,
  layer: MadeLayer,
  count?: number,
): Promise<number[][]> {
  const context = contextOf(layer, count);
  const [rows, channels, height, width] = layer.activation.shape as [
    number,
    number,
    number,
    number,
  ];
  const cells = height * width;
  const attribution = await method.compute(context, new Array<number>(rows).fill(0));
  const { data } = ("map" in attribution ? attribution.map : attribution.weights) as Tensor;
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: cells }, (_, cell) => {
      if ("map" in attribution) return data[row * cells + cell];
      let sum = 0;
      for (let k = 0; k < channels; k++) {
        const at = row * channels + k;
        sum += data[at] * layer.activation.data[at * cells + cell];
      }
      return sum;
    }));
}

/** One sample's channels, [channels][cells], as plain numbers. */
export function channelsOf(value: Tensor, row: number): number[][] {
  const [, channels, height, width] = value.shape as [number, number, number, number];
  const cells = height * width;
  return Array.from(
    { length: channels },
    (
      _,
      k,
    ) => [...value.data.subarray((row * channels + k) * cells, (row * channels + k + 1) * cells)],
  );
}

/** Two channels whose activations and gradients have both signs and zeros, small enough to reckon with by hand. */
export const SMALL_LAYER: MadeLayer = madeLayer(
  [[[1, 2], [3, 0]], [[0, 1], [-2, 4]]],
  [[[1, -1], [2, 5]], [[7, 3], [1, 0.5]]],
);

/** Asserts that each row's raw map is what a definition makes of the row's channels, to 1e-6 of the map's range. */
export async function assertDefinedBy(
  method: Method,
  layer: MadeLayer,
  define: (activation: number[][], gradient: number[][]) => number[],
): Promise<void> {
  for (const [row, map] of (await rawMapsOf(method, layer)).entries()) {
    const expected = define(channelsOf(layer.activation, row), channelsOf(layer.gradient, row));
    assertClose(map, expected, { ofRange: 1e-6 }, `row ${row}`);
  }
}

/** Σ over channels of something of each cell. */
export function sumOfChannels(
  activation: readonly (readonly number[])[],
  of: (activation: number, channel: number, cell: number) => number,
): number[] {
  return activation[0].map((_, cell) => sum(activation.map((a, k) => of(a[cell], k, cell))));
}

/** The sum of numbers. */
export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
