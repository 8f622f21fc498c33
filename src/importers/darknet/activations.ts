/**
 * Darknet's activation functions as ONNX nodes.
 *
 * Source: Darknet, `activations.h` (commit f6afaab). One that is not listed there (mish, swish …) silently becomes ReLU in
 * Darknet, so it has to be refused.
 *
 * @module
 */

import { float, type GraphBuilder, type Value } from "../../onnx/graph.ts";

type Activation = (b: GraphBuilder, x: Value) => Value;

const leaky = (slope: number): Activation => (b, x) =>
  b.op("LeakyRelu", [x], { alpha: float(slope) });
const clipped = (b: GraphBuilder, x: Value, low: number, high: number) =>
  b.op("Clip", [x, b.scalar(low), b.scalar(high)]);
const times = (b: GraphBuilder, x: Value, factor: number) => b.op("Mul", [x, b.scalar(factor)]);
const plus = (b: GraphBuilder, x: Value, term: number) => b.op("Add", [x, b.scalar(term)]);

/** x between two corners with slope 1, and with a small slope outside: clip(y) + slope (x - clip(x)). */
function bent(b: GraphBuilder, x: Value, inner: Value, low: number, high: number, slope: number) {
  const outside = b.op("Sub", [x, clipped(b, x, low, high)]);
  return b.op("Add", [inner, times(b, outside, slope)]);
}

/** By their names in cfg files. Each adds nodes (none for `linear`) and returns the result. */
export const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  /** 1 / (1 + e^-x). */
  logistic: (b, x) => b.op("Sigmoid", [x]),
  /** 2 / (1 + e^-x) - 1. */
  loggy: (b, x) => plus(b, times(b, b.op("Sigmoid", [x]), 2), -1),
  relu: (b, x) => b.op("Relu", [x]),
  /** x, or e^x - 1 below 0. */
  elu: (b, x) => b.op("Elu", [x], { alpha: float(1) }),
  /** 1.0507 x, or 1.0507 · 1.6732 (e^x - 1) below 0. */
  selu: (b, x) => b.op("Selu", [x], { alpha: float(1.6732), gamma: float(1.0507) }),
  /** x, or .01 x below 0. */
  relie: leaky(0.01),
  /** .125 x + .5 between -4 and 4, slope .01 outside. */
  plse: (b, x) => bent(b, x, clipped(b, plus(b, times(b, x, 0.125), 0.5), 0, 1), -4, 4, 0.01),
  hardtan: (b, x) => clipped(b, x, -1, 1),
  /** x between 0 and 1, slope .001 outside. */
  lhtan: (b, x) => bent(b, x, clipped(b, x, 0, 1), 0, 1, 0.001),
  linear: (_b, x) => x,
  /** max(x, 0) + .1 x. */
  ramp: (b, x) => b.op("Add", [b.op("Relu", [x]), times(b, x, 0.1)]),
  leaky: leaky(0.1),
  tanh: (b, x) => b.op("Tanh", [x]),
  /** With n = ⌊x⌋: ⌊x/2⌋, and for odd n the fraction x - n on top. */
  stair: (b, x) => {
    const step = b.op("Floor", [times(b, x, 0.5)]);
    const within = b.op("Sub", [x, times(b, step, 2)]);
    return b.op("Add", [step, b.op("Relu", [plus(b, within, -1)])]);
  },
};
