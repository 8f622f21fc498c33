/**
 * Sliding windows: kernel, stride, dilation and padding of convolutions and pools along each spatial axis, whatever way the
 * exporter stated them.
 *
 * @module
 */

import { type Dim, intOf, intsOf, type Node, stringOf } from "./graph.ts";

/** The window along one spatial axis. */
export interface AxisWindow {
  kernel: number;
  stride: number;
  dilation: number;
  /** Padding before; a number whenever the input extent is known or the padding is explicit, else `undefined`. */
  before: number | undefined;
  after: number | undefined;
  /** Output extent, `undefined` where it cannot be told (symbolic input extent that does not survive). */
  output: Dim | undefined;
}

/**
 * The windows of Conv, MaxPool, AveragePool or LpPool.
 *
 * Source: ONNX operator specifications. `SAME_UPPER` puts the odd pixel of padding at the end (TensorFlow), `SAME_LOWER` at
 * the start. With `ceil_mode`, a last window that would begin in the padding after the input is dropped, as PyTorch and
 * ONNX Runtime do.
 *
 * @param spatial extents of the input's spatial axes
 * @param kernel from the weights for convolutions; by default the attribute `kernel_shape`
 */
export function windowsOf(
  node: Node,
  spatial: readonly Dim[],
  kernel: readonly number[] = intsOf(node, "kernel_shape") ?? [],
): AxisWindow[] {
  const strides = intsOf(node, "strides");
  const dilations = intsOf(node, "dilations");
  const pads = intsOf(node, "pads");
  const auto = stringOf(node, "auto_pad", "NOTSET");
  const ceil = intOf(node, "ceil_mode", 0) !== 0;
  return spatial.map((extent, axis) => {
    const window = {
      kernel: kernel[axis] ?? 1,
      stride: strides?.[axis] ?? 1,
      dilation: dilations?.[axis] ?? 1,
    };
    if (auto === "SAME_UPPER" || auto === "SAME_LOWER") return sameWindow(window, extent, auto);
    const [before, after] = auto === "VALID"
      ? [0, 0]
      : [pads?.[axis] ?? 0, pads?.[axis + spatial.length] ?? 0];
    return paddedWindow({ ...window, before, after }, extent, ceil);
  });
}

type Window = Pick<AxisWindow, "kernel" | "stride" | "dilation">;

/** Input cells from a window's first to its last, these included. */
const reachOf = ({ kernel, dilation }: Window) => (kernel - 1) * dilation + 1;

/** As many windows as strides fit into the input, padded as that takes. */
function sameWindow(window: Window, extent: Dim, auto: string): AxisWindow {
  const { stride } = window;
  const reach = reachOf(window);
  if (typeof extent !== "number") {
    // With stride 1 the padding does not depend on the extent.
    const total = stride === 1 ? reach - 1 : undefined;
    return { ...window, ...share(total, auto), output: stride === 1 ? extent : undefined };
  }
  const output = Math.ceil(extent / stride);
  const total = Math.max((output - 1) * stride + reach - extent, 0);
  return { ...window, ...share(total, auto), output };
}

/** As many windows as fit into the padded input; with `ceil` also one that only begins in it. */
function paddedWindow(
  window: Window & { before: number; after: number },
  extent: Dim,
  ceil: boolean,
): AxisWindow {
  const { stride, before, after } = window;
  const reach = reachOf(window);
  if (typeof extent !== "number") {
    const keeps = stride === 1 && before + after === reach - 1;
    return { ...window, output: keeps ? extent : undefined };
  }
  const room = extent + before + after - reach;
  let output = Math.floor(room / stride) + 1;
  if (ceil && room % stride !== 0 && output * stride < extent + before) output++;
  return { ...window, output };
}

function share(total: number | undefined, auto: string) {
  if (total === undefined) return { before: undefined, after: undefined };
  const small = Math.floor(total / 2);
  return auto === "SAME_UPPER"
    ? { before: small, after: total - small }
    : { before: total - small, after: small };
}
