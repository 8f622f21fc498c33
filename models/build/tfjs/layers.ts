/**
 * TensorFlow's layers as ONNX nodes: NHWC convolutions and pools become NCHW ones with explicit padding.
 *
 * @module
 */

import { type GraphBuilder, int, ints, type Value } from "../../../src/onnx/graph.ts";
import { reshaped, restore, type TfjsWeight, transposed } from "./weights.ts";

/** Padding before and after, along one axis. */
export type Padding = readonly [before: number, after: number];

/**
 * TensorFlow's SAME padding along one axis: the output has ceil(extent / stride) cells, and of an odd total the larger
 * part comes **after**. That is why cells of strided TensorFlow layers are not centred as those of other frameworks.
 *
 * Source: TensorFlow, `tf.nn.convolution`, "Notes on padding".
 *
 * @param extent cells of the input
 * @param kernel cells of the kernel before dilation
 */
export function samePadding(extent: number, kernel: number, stride: number, dilation = 1): Padding {
  const reach = (kernel - 1) * dilation + 1;
  const total = Math.max((Math.ceil(extent / stride) - 1) * stride + reach - extent, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** How a window moves over [H, W]. */
export interface Window {
  readonly strides?: readonly [number, number];
  readonly dilations?: readonly [number, number];
  /** Padding along H and W; none by default. */
  readonly padding?: readonly [Padding, Padding];
}

function windowAttributes({ strides, dilations, padding }: Window) {
  const [[top, bottom], [left, right]] = padding ?? [[0, 0], [0, 0]];
  return {
    strides: ints(strides ?? [1, 1]),
    pads: ints([top, left, bottom, right]),
    ...dilations ? { dilations: ints(dilations) } : {},
  };
}

/**
 * A convolution.
 *
 * @param x [N, C, H, W]
 * @param filters TensorFlow's [height, width, in, out]
 * @param bias [out]
 * @returns [N, out, H', W']
 */
export function conv(
  b: GraphBuilder,
  x: Value,
  { filters, bias, ...window }: Window & { filters: TfjsWeight; bias?: TfjsWeight },
): Value {
  const kernel = filters.stored.shape.slice(0, 2);
  const inputs = [x, restore(b, transposed(filters, [3, 2, 0, 1]))];
  if (bias) inputs.push(restore(b, bias));
  return b.op("Conv", inputs, { kernel_shape: ints(kernel), ...windowAttributes(window) });
}

/**
 * A depthwise convolution: output channel c * multiplier + m comes from input channel c.
 *
 * @param x [N, C, H, W]
 * @param filters TensorFlow's [height, width, C, multiplier]
 * @returns [N, C * multiplier, H', W']
 */
export function depthwiseConv(
  b: GraphBuilder,
  x: Value,
  { filters, bias, ...window }: Window & { filters: TfjsWeight; bias?: TfjsWeight },
): Value {
  const [height, width, channels, multiplier] = filters.stored.shape as [
    number,
    number,
    number,
    number,
  ];
  const grouped = reshaped(
    transposed(filters, [2, 3, 0, 1]),
    [channels * multiplier, 1, height, width],
  );
  const inputs = [x, restore(b, grouped)];
  if (bias) inputs.push(restore(b, bias));
  return b.op("Conv", inputs, {
    kernel_shape: ints([height, width]),
    ...windowAttributes(window),
    group: int(channels),
  });
}

/** A pool over windows of [height, width]; averages leave the padding out, as TensorFlow's do. */
export function pool(
  b: GraphBuilder,
  x: Value,
  { kind, kernel, ...window }: Window & {
    kind: "MaxPool" | "AveragePool";
    kernel: readonly [number, number];
  },
): Value {
  return b.op(kind, [x], { kernel_shape: ints(kernel), ...windowAttributes(window) });
}

/** The mean over H and W: [N, C, H, W] to [N, C]. */
export function globalAverage(b: GraphBuilder, x: Value): Value {
  return b.op("Flatten", [b.op("GlobalAveragePool", [x])], { axis: int(1) });
}
