/** Small tensors in float64 for definitions that are written out as loops, and random tensors to feed. */

import { floats, sizeOf, type Tensor } from "../../src/base/tensor.ts";
import { createRng } from "../../src/base/rng.ts";
import { assertClose } from "../assert_close.ts";

/** A tensor in float64. */
export interface Doubles {
  shape: readonly number[];
  data: Float64Array;
}

/** A float64 tensor. */
export function doubles(shape: readonly number[], data?: ArrayLike<number>): Doubles {
  return { shape, data: data ? Float64Array.from(data) : new Float64Array(sizeOf(shape)) };
}

/** Calls a function for every index of a shape, in row-major order, with the flat position. */
export function eachIndex(
  shape: readonly number[],
  visit: (index: readonly number[], flat: number) => void,
): void {
  const index = shape.map(() => 0);
  const size = sizeOf(shape);
  for (let flat = 0; flat < size; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/** The flat position of an index. */
export function flatOf(shape: readonly number[], index: readonly number[]): number {
  return shape.reduce((flat, extent, axis) => flat * extent + index[axis], 0);
}

/** Standard normal numbers. */
export function normals(shape: readonly number[], seed = 1): Tensor {
  const rng = createRng(seed);
  return floats(shape, Array.from({ length: sizeOf(shape) }, () => rng.normal()));
}

/** Uniform numbers. */
export function uniforms(shape: readonly number[], low: number, high: number, seed = 1): Tensor {
  const rng = createRng(seed);
  return floats(
    shape,
    Array.from({ length: sizeOf(shape) }, () => low + (high - low) * rng.uniform()),
  );
}

/** Numbers of both signs of which no two are closer than 0.1 to each other and none closer than 0.05 to 0, in random order. */
export function spaced(shape: readonly number[], seed = 1): Tensor {
  const rng = createRng(seed);
  const size = sizeOf(shape);
  const values = Array.from({ length: size }, (_, i) => (i - Math.floor(size / 2)) * 0.1 + 0.05);
  for (let i = size - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [values[i], values[j]] = [values[j], values[i]];
  }
  return floats(shape, values);
}

/** Compares elementwise, relative to the largest expected value. */
export function near(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]));
  assertClose(actual, expected, tolerance * largest, `${what} (largest ${largest})`);
}
