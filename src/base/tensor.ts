/**
 * Tensors as plain data: an element type, a shape and one flat row-major array.
 *
 * Nothing here computes; a tensor is what travels between ONNX files, sessions, kernels and CAM methods.
 *
 * @module
 */

/** The array that holds the elements of each type. `float16` keeps the raw 16 bits, `bool` one byte each. */
interface ElementArrays {
  float32: Float32Array;
  float64: Float64Array;
  float16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
}

/** An element type, named as in ONNX. */
export type ElementType = keyof ElementArrays;

/** A dense row-major tensor of any element type. */
export type AnyTensor = { [T in ElementType]: Tensor<T> }[ElementType];

/** A dense row-major tensor; by default of float32, which is what all maps, activations and scores are. */
export interface Tensor<T extends ElementType = "float32"> {
  readonly type: T;
  readonly shape: readonly number[];
  readonly data: ElementArrays[T];
}

/** Constructors by element type. */
export const ELEMENT_ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

/** Number of elements of a shape; 1 for a scalar (`[]`), 0 when any extent is 0. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/**
 * Makes a tensor from a shape and its elements.
 *
 * @throws {RangeError} when the array's length is not the product of the shape.
 */
export function tensor<T extends ElementType>(
  type: T,
  shape: readonly number[],
  data: ElementArrays[T],
): Tensor<T> {
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(
      `Cannot make a tensor of shape [${shape}] from its data: ${data.length} elements`,
    );
  }
  return { type, shape: [...shape], data };
}

/** A float32 tensor from numbers or a Float32Array (which is kept, not copied). */
export function floats(shape: readonly number[], data: Float32Array | readonly number[]): Tensor {
  return tensor("float32", shape, data instanceof Float32Array ? data : Float32Array.from(data));
}

/** An int64 tensor from whole numbers: ONNX's type for shapes, axes and indices. */
export function int64s(shape: readonly number[], values: readonly number[]): Tensor<"int64"> {
  return tensor("int64", shape, BigInt64Array.from(values, (value) => BigInt(value)));
}

/** The elements as ordinary numbers (float16 is not decoded; int64 outside ±2^53 loses precision). */
export function toNumbers(value: AnyTensor): number[] {
  return Array.from(value.data as ArrayLike<number | bigint>, Number);
}

/** Rows `from` (inclusive) to `to` (exclusive) along the first axis, sharing the data. */
export function rows(value: Tensor, from: number, to: number): Tensor {
  const stride = sizeOf(value.shape.slice(1));
  return floats(
    [to - from, ...value.shape.slice(1)],
    value.data.subarray(from * stride, to * stride),
  );
}
