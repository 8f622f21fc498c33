/**
 * The element types of PyTorch's tensors, and their conversion to float32.
 *
 * @module
 */

/** How the elements of a type lie in a file, and how they become float32. */
interface ElementFormat {
  /** Bytes an element. */
  readonly size: number;
  /** Float32 values of little-endian elements, which lie at the start of their own buffer. */
  decode(buffer: ArrayBuffer): Float32Array;
}

/** A type that becomes float32 by JavaScript's own conversion, which rounds once and to the nearest. */
function converted(
  array: { new (buffer: ArrayBuffer): ArrayLike<number>; readonly BYTES_PER_ELEMENT: number },
): ElementFormat {
  return {
    size: array.BYTES_PER_ELEMENT,
    decode: (buffer) => new Float32Array(new array(buffer)),
  };
}

const BFLOAT16: ElementFormat = {
  size: 2,
  decode: (buffer) => {
    // The upper half of a float32.
    const halves = new Uint16Array(buffer);
    const bits = new Uint32Array(halves.length);
    for (let i = 0; i < bits.length; i++) bits[i] = halves[i] << 16;
    return new Float32Array(bits.buffer);
  },
};

const BOOL: ElementFormat = {
  size: 1,
  decode: (buffer) => Float32Array.from(new Uint8Array(buffer), (byte) => byte === 0 ? 0 : 1),
};

/** Names as PyTorch's, without `torch.`. */
export const ELEMENT_FORMATS = {
  float32: { size: 4, decode: (buffer: ArrayBuffer) => new Float32Array(buffer) },
  float16: converted(Float16Array),
  bfloat16: BFLOAT16,
  float64: converted(Float64Array),
  int64: { size: 8, decode: (b: ArrayBuffer) => Float32Array.from(new BigInt64Array(b), nearest) },
  int32: converted(Int32Array),
  int16: converted(Int16Array),
  int8: converted(Int8Array),
  uint8: converted(Uint8Array),
  uint16: converted(Uint16Array),
  uint32: converted(Uint32Array),
  uint64: {
    size: 8,
    decode: (b: ArrayBuffer) => Float32Array.from(new BigUint64Array(b), nearest),
  },
  bool: BOOL,
} as const satisfies Record<string, ElementFormat>;

/** An element type of a PyTorch tensor. */
export type TorchType = keyof typeof ELEMENT_FORMATS;

export function isTorchType(name: string): name is TorchType {
  return Object.hasOwn(ELEMENT_FORMATS, name);
}

/** The typed storages, `torch.NAMEStorage`. */
export const STORAGE_TYPES: ReadonlyMap<string, TorchType> = new Map([
  ["FloatStorage", "float32"],
  ["HalfStorage", "float16"],
  ["BFloat16Storage", "bfloat16"],
  ["DoubleStorage", "float64"],
  ["LongStorage", "int64"],
  ["IntStorage", "int32"],
  ["ShortStorage", "int16"],
  ["CharStorage", "int8"],
  ["ByteStorage", "uint8"],
  ["BoolStorage", "bool"],
]);

/**
 * A 64-bit integer as a double that rounds to float32 as the integer itself does: beyond 2^53 the low bits are folded
 * into one sticky bit, because rounding to double first could turn a value just above a tie into the tie.
 */
export function nearest(value: bigint): number {
  const near = Number(value);
  if (Number.isSafeInteger(near)) return near;
  const kept = value >> 11n;
  return Number(kept << 11n === value ? kept : kept | 1n) * 2048;
}

/** Reverses the bytes of each element in place. */
export function swapBytes(bytes: Uint8Array, size: number): void {
  if (size === 1) return;
  for (let start = 0; start < bytes.length; start += size) {
    for (let low = start, high = start + size - 1; low < high; low++, high--) {
      [bytes[low], bytes[high]] = [bytes[high], bytes[low]];
    }
  }
}
