/**
 * A batch's activation and gradient at the target layer, on the CPU, and the two ways in which methods sum over them.
 *
 * Maps are small (13 × 13 cells of 256 channels for an AlexNet), so that one tight loop a sample costs far less than a pass
 * through any layer of the model.
 *
 * @module
 */

import { floats, type Tensor } from "../base/tensor.ts";
import { readFloats } from "../classifier/values.ts";
import { isGpuTensor, type SessionValue } from "../runtime/session.ts";
import type { Method, MethodContext } from "./method.ts";

/** The activation at the target layer: channel k of row r is at `(r * channels + k) * cells`. */
export interface LayerValues {
  /** Rows of the batch. */
  readonly batch: number;
  /** Rows that are samples; the rest are padding. */
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** height × width. */
  readonly cells: number;
  /** A, [batch, channels, height, width]. */
  readonly activation: Float32Array;
}

/** The activation and the gradient of the target's score there. */
interface LayerGradients extends LayerValues {
  /** g = d score / d A, of A's shape. */
  readonly gradient: Float32Array;
}

/** Reads the activation of a batch. */
export async function readActivation({ forward }: MethodContext): Promise<LayerValues> {
  const { shape, data } = await readOnce(forward.activation);
  const [batch, channels, height, width] = shape as [number, number, number, number];
  const { count } = forward;
  return { batch, count, channels, height, width, cells: height * width, activation: data };
}

/** Reads the activation of a batch and the gradient of one class's score per row. */
export async function readGradients(
  context: MethodContext,
  classes: readonly number[],
): Promise<LayerGradients> {
  const { gradient } = await context.gradient(classes);
  return { ...await readActivation(context), gradient: (await readOnce(gradient)).data };
}

/** Values that were read back from the GPU: several methods want the same ones. */
const readings = new WeakMap<SessionValue, Promise<Tensor>>();

function readOnce(value: SessionValue): Promise<Tensor> {
  if (!isGpuTensor(value)) return readFloats(value);
  let reading = readings.get(value);
  if (!reading) readings.set(value, reading = readFloats(value));
  return reading;
}

/**
 * One number for each channel, [batch, channels]; 0 for the rows of padding.
 *
 * @param weight the weight of the channel whose cells are `from` (inclusive) to `to` (exclusive)
 */
export function channelWeights(
  { batch, count, channels, cells }: LayerValues,
  weight: (from: number, to: number) => number,
): Tensor {
  const weights = new Float32Array(batch * channels);
  for (let i = 0; i < count * channels; i++) weights[i] = weight(i * cells, (i + 1) * cells);
  return floats([batch, channels], weights);
}

/**
 * Sums over the channels cell by cell, [batch, height, width]; 0 for the rows of padding. Sums are held in float64.
 *
 * @param add adds the channel whose cells begin at `from` to the sums
 */
function sumOverChannels(
  { batch, count, channels, height, width, cells }: LayerValues,
  add: (sums: Float64Array, from: number) => void,
): Tensor {
  const map = new Float32Array(batch * cells);
  const sums = new Float64Array(cells);
  for (let row = 0; row < count; row++) {
    sums.fill(0);
    for (let k = 0; k < channels; k++) add(sums, (row * channels + k) * cells);
    map.set(sums, row * cells);
  }
  return floats([batch, height, width], map);
}

/**
 * One map for each sample, [batch, height, width]; 0 for the rows of padding.
 *
 * @param make the map of the sample whose channels begin at `from`
 */
export function mapOfEach(
  { batch, count, channels, height, width, cells }: LayerValues,
  make: (from: number, to: number) => ArrayLike<number>,
): Tensor {
  const map = new Float32Array(batch * cells);
  const size = channels * cells;
  for (let row = 0; row < count; row++) map.set(make(row * size, (row + 1) * size), row * cells);
  return floats([batch, height, width], map);
}

/**
 * A method whose map is Σ_k t(g_k, A_k), cell by cell, with the gradient g at the target layer: how it computes that, and its terms.
 *
 * @param add adds the terms of the channel that begins at `from` to sums over the cells. Each method has its own loop: a function of two
 * numbers, called from one loop for all of them, takes five times as long
 */
export function cellwise(
  add: (
    sums: Float64Array,
    gradient: Float32Array,
    activation: Float32Array,
    from: number,
  ) => void,
): Required<Pick<Method, "compute" | "terms">> {
  return {
    async compute(context, classes) {
      const layer = await readGradients(context, classes);
      const { activation, gradient } = layer;
      return {
        map: sumOverChannels(layer, (sums, from) => add(sums, gradient, activation, from)),
      };
    },
    async terms(context, classes) {
      const layer = await readGradients(context, classes);
      const { activation, gradient, batch, channels, height, width, cells } = layer;
      const terms = new Float32Array(activation.length);
      const own = new Float64Array(cells);
      for (let from = 0; from < terms.length; from += cells) {
        add(own.fill(0), gradient, activation, from);
        terms.set(own, from);
      }
      return floats([batch, channels, height, width], terms);
    },
  };
}
