/**
 * TensorFlow.js weights: the manifest (`weightsManifest` of a `model.json`, or a `*-weights_manifest.json`) and its
 * binary files, read as they are stored.
 *
 * Quantised weights stay integers here and in the ONNX file that is made of them ({@linkcode restore}), so an imported
 * model is as small as its source and nothing is rounded twice.
 *
 * Source: TensorFlow.js, `io/types.ts` (WeightsManifestConfig) and `io/io_utils.ts` (decodeWeights).
 *
 * @module
 */

import { ModelError } from "../../../src/base/errors.ts";
import {
  type AnyTensor,
  ELEMENT_ARRAYS,
  type ElementType,
  floats,
  int64s,
  sizeOf,
  tensor,
} from "../../../src/base/tensor.ts";
import { type GraphBuilder, int, type Value } from "../../../src/onnx/graph.ts";

/** One weight in a manifest. */
export interface ManifestWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: {
    readonly dtype: string;
    readonly scale?: number;
    readonly min?: number;
  };
}

/** A group of weights, laid end to end in the bytes of its files. */
export interface ManifestGroup {
  readonly paths: readonly string[];
  readonly weights: readonly ManifestWeight[];
}

/** A weight as stored. Its value is `stored`, or `stored * scale + min` where it is affine. */
export interface TfjsWeight {
  readonly name: string;
  readonly stored: AnyTensor;
  readonly affine?: { readonly scale: number; readonly min: number };
}

/** Element types a manifest can name, and quantised storage, as ours. */
const DTYPES: Readonly<Record<string, ElementType>> = {
  float32: "float32",
  int32: "int32",
  bool: "bool",
};
const QUANTISED: Readonly<Record<string, ElementType>> = {
  uint8: "uint8",
  uint16: "uint16",
  float16: "float16",
};

/**
 * Reads all weights of a manifest.
 *
 * @param manifest groups of weights
 * @param files bytes of the binary files by the path the manifest gives them
 * @returns weights by name, in the manifest's order
 * @throws {ModelError} for a missing file, a weight twice, an unknown element type, or bytes that do not end where the
 * last weight does
 */
export function readTfjsWeights(
  manifest: readonly ManifestGroup[],
  files: ReadonlyMap<string, Uint8Array>,
): Map<string, TfjsWeight> {
  const weights = new Map<string, TfjsWeight>();
  for (const group of manifest) {
    const bytes = join(group.paths, files);
    let offset = 0;
    for (const entry of group.weights) {
      if (weights.has(entry.name)) {
        throw new ModelError(
          `Cannot read the TFJS weights: ${JSON.stringify(entry.name)} is listed twice`,
        );
      }
      const type = storageOf(entry);
      const Elements = ELEMENT_ARRAYS[type];
      const size = sizeOf(entry.shape);
      const end = offset + size * Elements.BYTES_PER_ELEMENT;
      if (end > bytes.length) {
        throw new ModelError(
          `Cannot read TFJS weight ${
            JSON.stringify(entry.name)
          }: it ends at byte ${end} of ${bytes.length} in ${group.paths.join(", ")}`,
        );
      }
      // A copy, because a quantised neighbour leaves the next weight at any alignment.
      const data = new Elements(bytes.slice(offset, end).buffer as ArrayBuffer);
      const stored = tensor(type, entry.shape, data) as AnyTensor;
      const { scale, min } = entry.quantization ?? {};
      weights.set(entry.name, {
        name: entry.name,
        stored,
        ...scale === undefined ? {} : { affine: { scale, min: min ?? 0 } },
      });
      offset = end;
    }
    if (offset !== bytes.length) {
      throw new ModelError(
        `Cannot read the TFJS weights in ${
          group.paths.join(", ")
        }: ${bytes.length} bytes, but the manifest describes ${offset}`,
      );
    }
  }
  return weights;
}

function join(paths: readonly string[], files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const parts = paths.map((path) => {
    const part = files.get(path);
    if (!part) throw new ModelError(`Cannot read the TFJS weights: file ${path} is not there`);
    return part;
  });
  if (parts.length === 1) return parts[0];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function storageOf({ name, dtype, quantization }: ManifestWeight): ElementType {
  const type = quantization && dtype === "float32"
    ? QUANTISED[quantization.dtype]
    : quantization
    ? undefined
    : DTYPES[dtype];
  const affine = quantization && quantization.dtype !== "float16";
  if (!type || affine && !Number.isFinite(quantization.scale)) {
    throw new ModelError(
      `Cannot read TFJS weight ${JSON.stringify(name)}: element type ${dtype}${
        quantization ? `, stored as ${JSON.stringify(quantization)}` : ""
      }`,
    );
  }
  return type;
}

/**
 * A weight with its axes in another order; the storage stays what it is (integers stay integers).
 *
 * @param order axis of the source for each axis of the result: `[3, 2, 0, 1]` makes OIHW of HWIO
 * @throws {ModelError} when the order does not name each axis once
 */
export function transposed(weight: TfjsWeight, order: readonly number[]): TfjsWeight {
  const { type, shape, data } = weight.stored;
  if ([...order].sort().some((axis, i) => axis !== i) || order.length !== shape.length) {
    throw new ModelError(
      `Cannot transpose TFJS weight ${
        JSON.stringify(weight.name)
      } of shape [${shape}] by [${order}]`,
    );
  }
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const extents = order.map((axis) => shape[axis]);
  const steps = order.map((axis) => strides[axis]);
  const result = new (ELEMENT_ARRAYS[type] as Uint8ArrayConstructor)(data.length);
  const source = data as Uint8Array;
  const index = extents.map(() => 0);
  for (let to = 0, from = 0; to < result.length; to++) {
    result[to] = source[from];
    for (let axis = index.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++index[axis] < extents[axis]) break;
      from -= steps[axis] * extents[axis];
      index[axis] = 0;
    }
  }
  return { ...weight, stored: { type, shape: extents, data: result } as unknown as AnyTensor };
}

/** A weight with another shape of the same size; the data are shared. @throws {RangeError} */
export function reshaped(weight: TfjsWeight, shape: readonly number[]): TfjsWeight {
  const { type, data } = weight.stored;
  return { ...weight, stored: tensor(type, shape, data as Uint8Array) as AnyTensor };
}

/** The values of a weight, restored in double precision as TensorFlow.js does (float16 is not decoded). */
export function valuesOf({ stored, affine }: TfjsWeight): number[] {
  const { scale, min } = affine ?? { scale: 1, min: 0 };
  return Array.from(stored.data as ArrayLike<number>, (q) => q * scale + min);
}

/**
 * Adds a weight to a graph: as an initializer in its own storage, and where that is quantised, followed by the nodes that
 * restore it. ONNX Runtime folds these nodes when it loads the model.
 *
 * TensorFlow.js restores `q * scale + min` in double precision. The quantiser makes `min` a whole multiple of the scale,
 * min = -z * scale, wherever the range contains 0; there the same value is written as `Cast`, `Sub` z (exact), `Mul` scale, whose
 * error is two parts in 2^24 of the weight. `Cast`, `Mul` scale, `Add` min, used elsewhere, rounds at the size of `min` however small
 * the weight is. At the face detector's output the largest difference to TensorFlow.js is 5e-5 with the first form, 1.03e-4 with
 * the second and 5e-5 with weights restored exactly (which needs float64 in the graph, and ONNX Runtime's WebGPU build refuses that).
 *
 * @returns the float32 value (int64 for int32 weights, which ONNX uses for shapes and axes)
 */
export function restore(b: GraphBuilder, weight: TfjsWeight): Value {
  const { stored, affine, name } = weight;
  // A weight used by two nodes is stored once; under another layout it needs another name.
  let unique = name;
  for (let existing = b.weight(unique); existing; existing = b.weight(unique)) {
    if (sameTensor(existing, stored)) break;
    unique += "'";
  }
  if (stored.type === "int32") {
    return b.initializer(int64s(stored.shape, Array.from(stored.data)), unique);
  }
  const made = b.weight(unique) ? unique : b.initializer(stored, unique);
  if (stored.type === "float32") return made;
  const value = b.op("Cast", [made], { to: int(FLOAT) });
  if (!affine) return value;
  const { scale, min } = affine;
  const zero = Math.round(-min / scale);
  if (Math.abs(zero + min / scale) < 1e-6) {
    return b.op("Mul", [b.op("Sub", [value, b.scalar(zero)]), b.scalar(scale)]);
  }
  return b.op("Add", [b.op("Mul", [value, b.scalar(scale)]), b.scalar(min)]);
}

/** ONNX's number for float32. */
const FLOAT = 1;

function sameTensor(a: AnyTensor, b: AnyTensor): boolean {
  return a.type === b.type && `${a.shape}` === `${b.shape}` &&
    (a.data as Uint8Array).every((value, i) => value === (b.data as Uint8Array)[i]);
}

/** A float32 weight that is not in any manifest (made by an importer). */
export function constant(name: string, shape: readonly number[], values: readonly number[]) {
  return { name, stored: floats(shape, values) } satisfies TfjsWeight;
}

/**
 * A weight by name.
 *
 * @throws {ModelError} naming it when it is missing or, if stated, has another shape
 */
export function weightOf(
  weights: ReadonlyMap<string, TfjsWeight>,
  name: string,
  shape?: readonly number[],
): TfjsWeight {
  const weight = weights.get(name);
  if (!weight) {
    throw new ModelError(
      `Cannot import the model: weight ${JSON.stringify(name)} is missing among ${weights.size}`,
    );
  }
  if (shape && `${shape}` !== `${weight.stored.shape}`) {
    throw new ModelError(
      `Cannot import the model: weight ${
        JSON.stringify(name)
      } has shape [${weight.stored.shape}], not [${shape}]`,
    );
  }
  return weight;
}
