/**
 * Storages and tensors as a pickle describes them: checked descriptions, without data.
 *
 * A tensor is a view of a storage: element (i, j, …) lies at offset + i·stride₀ + j·stride₁ + …; strides may be 0 and
 * views may overlap.
 *
 * @module
 */

import { wholeText } from "../../base/number_text.ts";
import { ELEMENT_FORMATS, swapBytes, type TorchType } from "./element_types.ts";
import type { ByteSource } from "./source.ts";
import { Built } from "./values.ts";

/** Where a storage's bytes lie; known once the container has been read. */
interface StoragePlace {
  readonly source: ByteSource;
  readonly offset: number;
  readonly bigEndian: boolean;
}

/** A run of elements of one type, by the key under which the container holds it. */
export class TorchStorage extends Built {
  override readonly kind = "a storage, which is not a tensor";
  place: StoragePlace | undefined;
  /** @param type `undefined`: an untyped storage, counted in bytes, whose tensors say their type */
  constructor(readonly key: string, readonly type: TorchType | undefined, readonly count: number) {
    super();
  }
  get bytes(): number {
    return this.count * (this.type ? ELEMENT_FORMATS[this.type].size : 1);
  }
}

/** A view of a storage that has been checked to lie inside it. */
export class TorchView extends Built {
  override readonly kind = "a tensor";
  constructor(
    readonly storage: TorchStorage,
    readonly type: TorchType,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    super();
  }
}

/** PyTorch has no limit; NumPy's is 64, and weights have at most 5. */
const MAX_RANK = 64;
/**
 * A view may repeat elements (strides of 0), but one of a few bytes that claims gigabytes is a bomb: beyond this count
 * a tensor has no more elements than its storage.
 */
const MAX_REPEATED = 1 << 20;

/**
 * What is wrong with a view of `count` elements, or `undefined`.
 */
export function faultOf(
  count: number,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): string | undefined {
  const few = (all: readonly number[]) => all.slice(0, 8).map(wholeText).join();
  const text = `size [${few(shape)}], stride [${few(strides)}], offset ${wholeText(offset)}`;
  if (shape.length !== strides.length) return `${shape.length} sizes and ${strides.length} strides`;
  if (shape.length > MAX_RANK) return `${shape.length} dimensions, more than ${MAX_RANK}`;
  if (shape.includes(0)) return undefined;
  let elements = 1;
  let last = offset;
  for (const [i, extent] of shape.entries()) {
    elements *= extent;
    last += (extent - 1) * strides[i];
  }
  if (!(last < count)) return `${text}, in a storage of ${wholeText(count)} elements`;
  if (elements > Math.max(count, MAX_REPEATED)) {
    return `${text}: ${wholeText(elements)} elements in a storage of ${wholeText(count)}`;
  }
  return undefined;
}

/**
 * The tensor's values as float32, contiguous in C order. Floats of other widths and 64-bit integers are rounded once, to
 * the nearest; bool gives 0 and 1.
 *
 * Reads from the first to the last element of the view only; beside the result it needs the bytes of that stretch.
 *
 * @throws {ModelError} when the file has changed since it was opened.
 */
export function readView(view: TorchView): Float32Array<ArrayBuffer> {
  const { storage, type, shape, strides } = view;
  const elements = shape.reduce((product, extent) => product * extent, 1);
  if (elements === 0) return new Float32Array(0);
  const { size, decode } = ELEMENT_FORMATS[type];
  const { source, offset, bigEndian } = storage.place!;
  const span = 1 + shape.reduce((sum, extent, i) => sum + (extent - 1) * strides[i], 0);
  const bytes = source.read(offset + view.offset * size, span * size);
  if (bigEndian) swapBytes(bytes, size);
  const stretch = decode(bytes.buffer) as Float32Array<ArrayBuffer>;
  return isContiguous(shape, strides) ? stretch : gather(stretch, elements, shape, strides);
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== step) return false;
    step *= shape[i];
  }
  return true;
}

/** Copies a view element by element, counting its index up like an odometer. */
function gather(
  from: Float32Array,
  elements: number,
  shape: readonly number[],
  strides: readonly number[],
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(elements);
  const index = shape.map(() => 0);
  let at = 0;
  for (let n = 0; n < elements; n++) {
    values[n] = from[at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return values;
}
