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
    const k = kernel[axis] ?? 1;
    const stride = strides?.[axis] ?? 1;
    const dilation = dilations?.[axis] ?? 1;
    const reach = (k - 1) * dilation + 1;
    const base = { kernel: k, stride, dilation };
    if (auto === "SAME_UPPER" || auto === "SAME_LOWER") {
      if (typeof extent !== "number") {
        // With stride 1 the padding does not depend on the extent.
        const total = stride === 1 ? reach - 1 : undefined;
        return { ...base, ...share(total, auto), output: stride === 1 ? extent : undefined };
      }
      const output = Math.ceil(extent / stride);
      const total = Math.max((output - 1) * stride + reach - extent, 0);
      return { ...base, ...share(total, auto), output };
    }
    const explicit = auto !== "VALID";
    const before = explicit ? pads?.[axis] ?? 0 : 0;
    const after = explicit ? pads?.[axis + spatial.length] ?? 0 : 0;
    if (typeof extent !== "number") {
      const keeps = stride === 1 && before + after === reach - 1;
      return { ...base, before, after, output: keeps ? extent : undefined };
    }
    const room = extent + before + after - reach;
    let output = Math.floor(room / stride) + 1;
    if (ceil && room % stride !== 0 && output * stride < extent + before) output++;
    return { ...base, before, after, output };
  });
}

function share(total: number | undefined, auto: string) {
  if (total === undefined) return { before: undefined, after: undefined };
  const small = Math.floor(total / 2);
  return auto === "SAME_UPPER"
    ? { before: small, after: total - small }
    : { before: total - small, after: small };
}
