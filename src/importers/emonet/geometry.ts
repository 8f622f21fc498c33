/**
 * EmoNet's layers: AlexNet as MATLAB ships it, with 20 outputs. The numbers of channels are free, so that small networks of the
 * same geometry can be imported too; everything else is fixed.
 *
 * @module
 */

import { ModelError } from "../../base/errors.ts";
import { sizeOf } from "../../base/tensor.ts";

/** A convolution with a square kernel and the same padding on all sides. */
export interface Convolution {
  readonly name: string;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly groups: number;
}

export const CONVOLUTIONS: readonly Convolution[] = [
  { name: "conv1", kernel: 11, stride: 4, padding: 0, groups: 1 },
  { name: "conv2", kernel: 5, stride: 1, padding: 2, groups: 2 },
  { name: "conv3", kernel: 3, stride: 1, padding: 1, groups: 1 },
  { name: "conv4", kernel: 3, stride: 1, padding: 1, groups: 2 },
  { name: "conv5", kernel: 3, stride: 1, padding: 1, groups: 2 },
];
/** Fully connected layers. */
export const CONNECTED = ["fc1", "fc2", "fc3"] as const;
/** Side of the input, and of the maps after the last pooling. */
export const INPUT_SIDE = 227;
const LAST_SIDE = 6;
export const CLASSES = 20;

/** The layers in order. */
export const LAYERS: readonly string[] = [...CONVOLUTIONS.map(({ name }) => name), ...CONNECTED];
/** The names of all tensors, in order. */
export const KEYS: readonly string[] = LAYERS.flatMap((name) => [`${name}.weight`, `${name}.bias`]);

/** Most weights there may be: an ONNX file is a protobuf message, which ends at 2 GB. EmoNet has 57 million. */
const MAX_WEIGHTS = 500_000_000;

/**
 * The shapes of all tensors, given each layer's number of outputs: convolutions [out, in / groups, k, k], fully connected
 * layers [out, in], biases [out].
 *
 * @param outputs by layer
 * @param origin what is imported, for messages
 * @throws {ModelError} when a layer's outputs do not fit its groups, the last one's are not 20, or the network is too large
 * for a file.
 */
export function shapesFor(
  outputs: ReadonlyMap<string, number>,
  origin: string,
): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  let inputs = 3;
  const add = (name: string, rest: readonly number[]) => {
    const out = outputs.get(name)!;
    shapes.set(`${name}.weight`, [out, ...rest]);
    shapes.set(`${name}.bias`, [out]);
    inputs = out;
  };
  for (const { name, kernel, groups } of CONVOLUTIONS) {
    const out = outputs.get(name)!;
    if (out % groups !== 0 || inputs % groups !== 0) {
      throw new ModelError(
        `Cannot import EmoNet from ${origin}: ${name} has ${inputs} inputs and ${out} outputs, which do not form ${groups} groups`,
      );
    }
    add(name, [inputs / groups, kernel, kernel]);
  }
  inputs *= LAST_SIDE * LAST_SIDE;
  for (const name of CONNECTED) add(name, [inputs]);
  if (inputs !== CLASSES) {
    throw new ModelError(
      `Cannot import EmoNet from ${origin}: fc3.bias has shape [${inputs}], expected [${CLASSES}], one for each of its classes`,
    );
  }
  const weights = [...shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
  if (weights > MAX_WEIGHTS) {
    throw new ModelError(
      `Cannot import EmoNet from ${origin}: ${weights} weights, more than an ONNX file can hold`,
    );
  }
  return shapes;
}

/**
 * Checks a tensor's elements.
 *
 * @throws {ModelError} when one is NaN or infinite.
 */
export function checkFinite(key: string, data: Float32Array, origin: string): void {
  let count = 0, first = -1;
  for (let i = 0; i < data.length; i++) {
    if (Math.abs(data[i]) < Infinity) continue;
    if (count++ === 0) first = i;
  }
  if (count === 0) return;
  throw new ModelError(
    `Cannot import EmoNet from ${origin}: ${key} is not finite in ${count} of its ${data.length} elements, first ${
      data[first]
    } at ${first}; get the file again`,
  );
}
