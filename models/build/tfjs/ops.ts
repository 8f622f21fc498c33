/**
 * What each operation of a TensorFlow.js graph model becomes in ONNX.
 *
 * Shapes are TensorFlow's (NHWC for rank 4) where they are known; values of rank 4 are NCHW.
 *
 * @module
 */

import { UnsupportedOpError } from "../../../src/base/errors.ts";
import {
  type Dim,
  float,
  type GraphBuilder,
  int,
  ints,
  type Shape,
  type Value,
} from "../../../src/onnx/graph.ts";
import { conv, depthwiseConv, globalAverage, type Padding, pool, samePadding } from "./layers.ts";
import type { Operand, TfjsNode } from "./model.ts";
import { reshaped, restore, type TfjsWeight, transposed, valuesOf } from "./weights.ts";

/** What an operation is given. */
export interface TfjsContext {
  readonly b: GraphBuilder;
  readonly node: TfjsNode;
  readonly inputs: readonly Operand[];
}

/** Converts one node. @throws {UnsupportedOpError} for a form of the operation that is not supported. */
export type TfjsOperation = (context: TfjsContext) => Operand;

type Activation = { readonly value: Value; readonly shape: Shape };

function refuse({ op, name }: TfjsNode, what: string): never {
  throw new UnsupportedOpError(
    op,
    name,
    `Cannot import TFJS operation ${op} (node ${JSON.stringify(name)}): ${what}`,
  );
}

/** Input `index` as a value of the graph (weights are restored). */
function valueAt({ b, node, inputs }: TfjsContext, index: number): Activation {
  const operand = inputs[index];
  if (!operand) refuse(node, `input ${index} of ${inputs.length} is missing`);
  if (operand.kind === "value") return operand;
  const { weight } = operand;
  const shape = weight.stored.shape;
  const value = restore(b, shape.length === 4 ? transposed(weight, [0, 3, 1, 2]) : weight);
  return { value, shape };
}

/** Input `index` as a weight. */
function weightAt({ node, inputs }: TfjsContext, index: number): TfjsWeight {
  const operand = inputs[index];
  if (operand?.kind !== "weight") refuse(node, `input ${index} is not a constant`);
  return operand.weight;
}

const result = (value: Value, shape: Shape): Operand => ({ kind: "value", value, shape });

function text(base64: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
}

function stringAttribute(node: TfjsNode, name: string, otherwise: string): string {
  const s = node.attr?.[name]?.s;
  return s === undefined ? otherwise : text(s);
}

function numbersAttribute(node: TfjsNode, name: string): number[] | undefined {
  return node.attr?.[name]?.list?.i?.map(Number);
}

/** [H, W] of an attribute that names all four axes. */
function spatial(node: TfjsNode, name: string): [number, number] {
  const [batch, height, width, channels] = numbersAttribute(node, name) ?? [1, 1, 1, 1];
  if (batch !== 1 || channels !== 1) refuse(node, `${name} over batch or channels`);
  return [height!, width!];
}

/** Windows of a convolution or pool: padding by TensorFlow's rule, and the extents after it. */
function windowOf(node: TfjsNode, shape: Shape, kernel: readonly [number, number]) {
  const format = stringAttribute(node, "data_format", "NHWC");
  if (format !== "NHWC") refuse(node, `data format ${format}`);
  if (shape.length !== 4) refuse(node, `an input of rank ${shape.length}`);
  const strides = spatial(node, "strides");
  const dilations = spatial(node, "dilations");
  const mode = stringAttribute(node, "padding", "VALID");
  const explicit = numbersAttribute(node, "explicit_paddings") ?? [];
  const axes = [0, 1].map((axis): { padding: Padding; extent: Dim } => {
    const extent = shape[1 + axis];
    const [stride, dilation] = [strides[axis], dilations[axis]];
    const reach = (kernel[axis] - 1) * dilation + 1;
    if (mode === "SAME" && stride === 1) {
      return { padding: samePadding(reach, kernel[axis], 1, dilation), extent };
    }
    if (mode === "SAME" && typeof extent === "string") {
      refuse(node, "SAME padding with a stride, on an axis of free size");
    }
    const padding: Padding = mode === "SAME"
      ? samePadding(extent as number, kernel[axis], stride, dilation)
      : mode === "EXPLICIT"
      ? [explicit[2 + 2 * axis] ?? 0, explicit[3 + 2 * axis] ?? 0]
      : [0, 0];
    const cells = typeof extent === "number"
      ? Math.floor((extent + padding[0] + padding[1] - reach) / stride) + 1
      : `${node.name}:${axis}`;
    return { padding, extent: cells };
  });
  return {
    window: {
      strides,
      ...dilations.some((dilation) => dilation !== 1) ? { dilations } : {},
      padding: [axes[0].padding, axes[1].padding] as const,
    },
    extents: [axes[0].extent, axes[1].extent] as const,
  };
}

/** The operations fused into a node after its product: BiasAdd, then at most one activation. */
function fused(context: TfjsContext): { bias?: TfjsWeight; activate(value: Value): Value } {
  const { b, node } = context;
  const names = (node.attr?.["fused_ops"]?.list?.s ?? []).map(text);
  const withBias = names[0] === "BiasAdd";
  const rest = withBias ? names.slice(1) : names;
  const activation = rest[0];
  if (rest.length > 1 || activation !== undefined && !(activation in ACTIVATIONS)) {
    refuse(node, `fused operations ${names.join(", ")}`);
  }
  return {
    ...withBias ? { bias: weightAt(context, 2) } : {},
    activate: (value) => activation === undefined ? value : ACTIVATIONS[activation](b, value, node),
  };
}

const ACTIVATIONS: Readonly<Record<string, (b: GraphBuilder, x: Value, node: TfjsNode) => Value>> =
  {
    Relu: (b, x) => b.op("Relu", [x]),
    Relu6: (b, x) => b.op("Clip", [x, b.scalar(0), b.scalar(6)]),
    Sigmoid: (b, x) => b.op("Sigmoid", [x]),
    LeakyRelu: (b, x, node) =>
      b.op("LeakyRelu", [x], {
        alpha: float(node.attr?.["leakyrelu_alpha"]?.f ?? node.attr?.["alpha"]?.f ?? 0.2),
      }),
  };

function convolution(context: TfjsContext): Operand {
  const { b, node } = context;
  const x = valueAt(context, 0);
  const filters = weightAt(context, 1);
  const [height, width, channels, outputs] = filters.stored.shape as [
    number,
    number,
    number,
    number,
  ];
  if (x.shape[3] !== channels) {
    refuse(node, `${x.shape[3]} input channels for filters of ${channels}`);
  }
  const { window, extents } = windowOf(node, x.shape, [height, width]);
  const { activate, ...bias } = fused(context);
  const value = conv(b, x.value, { filters, ...bias, ...window });
  return result(activate(value), [x.shape[0], ...extents, outputs]);
}

function depthwiseConvolution(context: TfjsContext): Operand {
  const { b, node } = context;
  const x = valueAt(context, 0);
  const filters = weightAt(context, 1);
  const [height, width, channels, multiplier] = filters.stored.shape as [
    number,
    number,
    number,
    number,
  ];
  if (x.shape[3] !== channels) {
    refuse(node, `${x.shape[3]} input channels for filters of ${channels}`);
  }
  const { window, extents } = windowOf(node, x.shape, [height, width]);
  const { activate, ...bias } = fused(context);
  const value = depthwiseConv(b, x.value, { filters, ...bias, ...window });
  return result(activate(value), [x.shape[0], ...extents, channels * multiplier]);
}

function pooling(kind: "MaxPool" | "AveragePool"): TfjsOperation {
  return (context) => {
    const x = valueAt(context, 0);
    const kernel = spatial(context.node, "ksize");
    const { window, extents } = windowOf(context.node, x.shape, kernel);
    const value = pool(context.b, x.value, { kind, kernel, ...window });
    return result(value, [x.shape[0], ...extents, x.shape[3]]);
  };
}

function activation(name: string): TfjsOperation {
  return (context) => {
    const x = valueAt(context, 0);
    return result(ACTIVATIONS[name](context.b, x.value, context.node), x.shape);
  };
}

/** Sum of two values of equal shape, or of a value and a constant per channel. */
function addition(context: TfjsContext): Operand {
  const { b, node, inputs } = context;
  const [first, second] = inputs;
  const constantAt = first?.kind === "weight" ? 0 : second?.kind === "weight" ? 1 : undefined;
  if (constantAt === undefined) {
    const [x, y] = [valueAt(context, 0), valueAt(context, 1)];
    if (`${x.shape}` !== `${y.shape}`) refuse(node, `shapes [${x.shape}] and [${y.shape}]`);
    return result(b.op("Add", [x.value, y.value]), x.shape);
  }
  const x = valueAt(context, 1 - constantAt);
  const weight = weightAt(context, constantAt);
  const size = weight.stored.data.length;
  const channels = x.shape.at(-1);
  if (weight.stored.shape.at(-1) !== size || size !== channels && size !== 1) {
    refuse(node, `a constant of shape [${weight.stored.shape}] beside [${x.shape}]`);
  }
  const perChannel = reshaped(weight, x.shape.length === 4 ? [size, 1, 1] : [size]);
  return result(b.op("Add", [x.value, restore(b, perChannel)]), x.shape);
}

function mean(context: TfjsContext): Operand {
  const { b, node } = context;
  const x = valueAt(context, 0);
  const axes = valuesOf(weightAt(context, 1)).map((axis) => axis < 0 ? axis + 4 : axis).sort();
  if (x.shape.length !== 4 || `${axes}` !== "1,2") {
    refuse(node, `axes [${axes}] of rank ${x.shape.length}; only height and width of an image`);
  }
  const [batch, , , channels] = x.shape as [Dim, Dim, Dim, Dim];
  return node.attr?.["keep_dims"]?.b
    ? result(b.op("GlobalAveragePool", [x.value]), [batch, 1, 1, channels])
    : result(globalAverage(b, x.value), [batch, channels]);
}

/** Over the last axis, which for rank 4 is the channels: axis 1 here. */
function softmax(context: TfjsContext): Operand {
  const x = valueAt(context, 0);
  const axis = x.shape.length === 4 ? 1 : x.shape.length - 1;
  return result(context.b.op("Softmax", [x.value], { axis: int(axis) }), x.shape);
}

/** To [batch, …]: elements are taken in TensorFlow's order, so an image goes through NHWC. */
function reshape(context: TfjsContext): Operand {
  const { b, node } = context;
  const x = valueAt(context, 0);
  const target = valuesOf(weightAt(context, 1));
  const inner = x.shape.slice(1);
  const size = inner.every((extent) => typeof extent === "number")
    ? (inner as number[]).reduce((product, extent) => product * extent, 1)
    : undefined;
  const known = target.slice(1).reduce((product, extent) => product * extent, 1);
  if (target[0] !== -1 || size === undefined || known !== size) {
    refuse(node, `[${x.shape}] to [${target}]; the first extent must be the free batch size`);
  }
  const flat = x.shape.length === 4
    ? b.op("Transpose", [x.value], { perm: ints([0, 2, 3, 1]) })
    : x.value;
  const made = b.op("Reshape", [flat, b.ints(target)]);
  const shape: Shape = [x.shape[0], ...target.slice(1)];
  return result(
    target.length === 4 ? b.op("Transpose", [made], { perm: ints([0, 3, 1, 2]) }) : made,
    shape,
  );
}

/** A fully connected layer: [N, in] times [in, out]. */
function matrixProduct(context: TfjsContext): Operand {
  const { b, node } = context;
  const x = valueAt(context, 0);
  const weights = weightAt(context, 1);
  if (node.attr?.["transpose_a"]?.b || x.shape.length !== 2) {
    refuse(node, `a first factor of rank ${x.shape.length}, or transposed`);
  }
  const transposeB = node.attr?.["transpose_b"]?.b ?? false;
  const { bias, activate } = fused(context);
  const inputs = [x.value, restore(b, weights)];
  if (bias) inputs.push(restore(b, bias));
  const value = b.op("Gemm", inputs, transposeB ? { transB: int(1) } : {});
  return result(activate(value), [x.shape[0], weights.stored.shape[transposeB ? 0 : 1]]);
}

/** The converters, by the name of the TFJS operation. (`Const` and `Placeholder` are not operations.) */
export const TFJS_OPS: Readonly<Record<string, TfjsOperation>> = {
  Add: addition,
  AddV2: addition,
  AvgPool: pooling("AveragePool"),
  BiasAdd: addition,
  Conv2D: convolution,
  DepthwiseConv2dNative: depthwiseConvolution,
  FusedDepthwiseConv2dNative: depthwiseConvolution,
  Identity: ({ inputs }) => inputs[0],
  LeakyRelu: activation("LeakyRelu"),
  MatMul: matrixProduct,
  MaxPool: pooling("MaxPool"),
  Mean: mean,
  Relu: activation("Relu"),
  Relu6: activation("Relu6"),
  Reshape: reshape,
  Sigmoid: activation("Sigmoid"),
  Softmax: softmax,
  _FusedConv2D: convolution,
  _FusedMatMul: matrixProduct,
};
