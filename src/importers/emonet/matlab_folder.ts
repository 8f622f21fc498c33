/**
 * EmoNet's MATLAB export: a folder with `conv1.weights.txt.bz2` … `fc3.bias.txt.bz2`, or the same unpacked, and the mean image
 * `img_mean.txt`.
 *
 * `writematrix` flattens an array to two dimensions: the first one stays the row, of the others the earlier runs faster.
 *
 * @module
 */

import { join } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { floats, type Tensor } from "../../base/tensor.ts";
import { CONVOLUTIONS, INPUT_SIDE, LAYERS, shapesFor } from "./geometry.ts";
import { openText, readMatrix } from "./matlab_text.ts";
import { statOf } from "../../base/files.ts";

/** Most outputs of a layer. EmoNet has 4,096. */
const MAX_OUTPUTS = 1 << 15;

/** Whether a layer is a convolution, whose files are laid out differently. */
function isConvolution(name: string): boolean {
  return CONVOLUTIONS.some((convolution) => convolution.name === name);
}

/**
 * Reads the sixteen tensors of a folder: convolutions [out, in / groups, k, k], fully connected layers [out, in], biases [out].
 *
 * The biases come first, because they say how large the weights have to be.
 *
 * @throws {UsageError} when a file is missing.
 * @throws {ModelError} when a file is not what the others require.
 */
export async function readMatlabFolder(folder: string): Promise<Map<string, Tensor>> {
  const files = new Map<string, string>();
  for (const name of LAYERS) {
    for (const kind of ["weights", "bias"]) {
      files.set(`${name}.${kind}`, await find(folder, `${name}.${kind}.txt`));
    }
  }
  const biases = new Map<string, Float32Array>();
  for (const name of LAYERS) {
    const chunks = openText(join(folder, files.get(`${name}.bias`)!));
    biases.set(name, readBias(chunks, files.get(`${name}.bias`)!, isConvolution(name)));
  }
  const outputs = new Map([...biases].map(([name, bias]) => [name, bias.length]));
  const shapes = shapesFor(outputs, folder);
  const tensors = new Map<string, Tensor>();
  for (const name of LAYERS) {
    const file = files.get(`${name}.weights`)!;
    const shape = shapes.get(`${name}.weight`)!;
    tensors.set(`${name}.weight`, readWeights(openText(join(folder, file)), file, shape));
    tensors.set(`${name}.bias`, floats([biases.get(name)!.length], biases.get(name)!));
  }
  return tensors;
}

/** The name of a file or of its bzip2, which is preferred because it has a checksum. */
async function find(folder: string, name: string): Promise<string> {
  for (const file of [`${name}.bz2`, name]) {
    if ((await statOf(join(folder, file)))?.isFile) return file;
  }
  throw new UsageError(
    `Cannot import EmoNet from ${folder}: ${name}.bz2 is missing; give the folder with all 16 files conv1.weights.txt.bz2 … ` +
      "fc3.bias.txt.bz2, or the .pth file",
  );
}

/**
 * Reads a bias of unknown length: all values on one line for a convolution, one a line for a fully connected layer.
 *
 * @throws {ModelError} as `readMatrix`, and when there are more than 32,768.
 */
export function readBias(
  chunks: Iterable<Uint8Array>,
  origin: string,
  convolution: boolean,
): Float32Array {
  const size = convolution
    ? { lines: 1, values: MAX_OUTPUTS, atMost: true }
    : { lines: MAX_OUTPUTS, values: 1, atMost: true };
  const values: number[] = [];
  for (const row of readMatrix(chunks, origin, size)) values.push(...row);
  return Float32Array.from(values);
}

/**
 * Reads weights of a known shape: [out, in] as it is; [out, in, k, k] from k lines, each with the kernel's columns running
 * fastest, then the inputs of a group, then the outputs.
 *
 * @throws {ModelError} as `readMatrix`.
 */
export function readWeights(
  chunks: Iterable<Uint8Array>,
  origin: string,
  shape: readonly number[],
): Tensor {
  const [outputs, inputs, height, width] = shape as [number, number, number?, number?];
  if (height === undefined || width === undefined) {
    const data = new Float32Array(outputs * inputs);
    let from = 0;
    for (const row of readMatrix(chunks, origin, { lines: outputs, values: inputs })) {
      data.set(row, from);
      from += inputs;
    }
    return floats(shape, data);
  }
  const planes = outputs * inputs;
  const data = new Float32Array(planes * height * width);
  let line = 0;
  for (const row of readMatrix(chunks, origin, { lines: height, values: planes * width })) {
    for (let plane = 0, q = 0; plane < planes; plane++) {
      const from = (plane * height + line) * width;
      for (let x = 0; x < width; x++) data[from + x] = row[q++];
    }
    line++;
  }
  return floats(shape, data);
}

/**
 * Reads the mean image [3, 227, 227], values 0 … 255: a line for each row, with the red, green and blue values one after the
 * other.
 *
 * @throws {UsageError} when the file cannot be read.
 * @throws {ModelError} as `readMatrix`.
 */
export function readMeanImage(path: string): Tensor {
  const side = INPUT_SIDE;
  const data = new Float32Array(3 * side * side);
  let y = 0;
  for (const row of readMatrix(openText(path), path, { lines: side, values: 3 * side })) {
    for (let c = 0; c < 3; c++) {
      data.set(row.subarray(c * side, (c + 1) * side), (c * side + y) * side);
    }
    y++;
  }
  return floats([3, side, side], data);
}
