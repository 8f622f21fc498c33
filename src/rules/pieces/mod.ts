/**
 * Functions with corners, continued from the piece on which a point lies.
 *
 * A network of ReLUs and maxima is smooth on the piece around a point A: the same units are on, the same elements are the
 * largest. Continued beyond its borders, the piece is a function that has the network's value and gradient at A and no corner
 * anywhere, so that finite differences of any step can tell its slope.
 *
 * At a corner itself there are several pieces; the one taken is PyTorch's, as in the gradient rules.
 *
 * @module
 */

import { floatOf, type GraphBuilder, type Node, type Value } from "../../onnx/graph.ts";
import { reduceSum, scale, squeeze, unsqueeze, whereElseZero } from "../forms.ts";
import { keptAxes, reducedAxes } from "../gradient/reduce.ts";
import { firstOfPlane, firstOfWindow } from "./maximum.ts";

/**
 * Adds a node's piece and gives its value.
 *
 * @param node as it is at the point: its inputs and outputs tell the piece
 * @param moved where the piece is evaluated: one value an input, the same as the input where that does not move
 */
export type Piece = (b: GraphBuilder, node: Node, moved: readonly Value[]) => Value;

/** x > 0 at the point: one function there, another elsewhere. */
function sided(
  positive: (b: GraphBuilder, x: Value, node: Node) => Value,
  other: (b: GraphBuilder, x: Value, node: Node, moved: readonly Value[]) => Value,
  corner: (node: Node) => number = () => 0,
): Piece {
  return (b, node, moved) => {
    const over = b.op("Greater", [node.inputs[0], b.scalar(corner(node))]);
    return b.op("Where", [over, positive(b, moved[0], node), other(b, moved[0], node, moved)]);
  };
}

const same = (_b: GraphBuilder, x: Value): Value => x;
const nothing = (b: GraphBuilder): Value => b.scalar(0);

/** factor (e^(x / width) − 1). */
function bent(b: GraphBuilder, x: Value, factor: number, width = 1): Value {
  return scale(b, b.op("Sub", [b.op("Exp", [scale(b, x, 1 / width)]), b.scalar(1)]), factor);
}

const alphaOf = (node: Node, otherwise: number): number => floatOf(node, "alpha", otherwise);

const clip: Piece = (b, node, [x]) => {
  const bound = (name: "min" | "max", input: number): Value | undefined => {
    if (b.graph.opset >= 11) return node.inputs[input] || undefined;
    return node.attributes[name] ? b.scalar(floatOf(node, name, 0)) : undefined;
  };
  const low = bound("min", 1), high = bound("max", 2);
  let result = x;
  if (low) result = b.op("Where", [b.op("Less", [node.inputs[0], low]), low, result]);
  if (high) result = b.op("Where", [b.op("Greater", [node.inputs[0], high]), high, result]);
  return result;
};

const hardSigmoid: Piece = (b, node, [x]) => {
  const [there] = node.outputs;
  const line = b.op("Add", [scale(b, x, alphaOf(node, 0.2)), b.scalar(floatOf(node, "beta", 0.5))]);
  const below = b.op("Where", [b.op("Less", [there, b.scalar(1)]), line, b.scalar(1)]);
  return whereElseZero(b, b.op("Greater", [there, b.scalar(0)]), below);
};

const hardSwish: Piece = (b, node, [x]) => {
  const [at] = node.inputs;
  const middle = b.op("Mul", [x, b.op("Add", [scale(b, x, 1 / 6), b.scalar(0.5)])]);
  const below = b.op("Where", [b.op("Less", [at, b.scalar(3)]), middle, x]);
  return whereElseZero(b, b.op("Greater", [at, b.scalar(-3)]), below);
};

const abs: Piece = (b, { inputs: [at] }, [x]) => b.op("Mul", [x, b.op("Sign", [at])]);

/** The mean of those inputs that are the largest (or smallest) at the point. */
function extremeOf(further: "Less" | "Greater"): Piece {
  return (b, node, moved) => {
    const one = b.scalar(1), zero = b.scalar(0);
    const taken = node.inputs.map((input) =>
      b.op("Where", [b.op(further, [input, node.outputs[0]]), zero, one])
    );
    const sum = (values: readonly Value[]) => values.reduce((a, c) => b.op("Add", [a, c]));
    const parts = moved.map((x, i) => b.op("Mul", [x, taken[i]]));
    return b.op("Div", [sum(parts), sum(taken)]);
  };
}

/** The result with the reduced axes kept, as extents of 1. */
function kept(b: GraphBuilder, node: Node, axes: readonly number[]): Value {
  return keptAxes(node) ? node.outputs[0] : unsqueeze(b, node.outputs[0], axes);
}

/** The mean of those elements that are the largest (or smallest) at the point. */
function extremeAlong(further: "Less" | "Greater"): Piece {
  return (b, node, [x]) => {
    const axes = reducedAxes(b, node);
    const lost = b.op(further, [node.inputs[0], kept(b, node, axes)]);
    const taken = b.op("Where", [lost, b.scalar(0), b.scalar(1)]);
    const sum = (value: Value) => reduceSum(b, value, axes);
    const mean = b.op("Div", [sum(b.op("Mul", [x, taken])), sum(taken)]);
    return keptAxes(node) ? mean : squeeze(b, mean, axes);
  };
}

const reduceL1: Piece = (b, node, [x]) => {
  const axes = reducedAxes(b, node);
  return reduceSum(b, b.op("Mul", [x, b.op("Sign", [node.inputs[0]])]), axes, keptAxes(node));
};

/** Of the operators that have corners. All others are smooth where they are defined: they are their own piece. */
export const PIECES: Readonly<Record<string, Piece>> = {
  Relu: sided(same, nothing),
  LeakyRelu: sided(same, (b, x, node) => scale(b, x, alphaOf(node, 0.01))),
  PRelu: sided(same, (b, x, _node, [, slope]) => b.op("Mul", [x, slope])),
  ThresholdedRelu: sided(same, nothing, (node) => alphaOf(node, 1)),
  Elu: sided(same, (b, x, node) => bent(b, x, alphaOf(node, 1))),
  Celu: sided(same, (b, x, node) => bent(b, x, alphaOf(node, 1), alphaOf(node, 1))),
  Selu: sided(
    (b, x, node) => scale(b, x, floatOf(node, "gamma", 1.0507009873554805)),
    (b, x, node) =>
      bent(
        b,
        x,
        floatOf(node, "gamma", 1.0507009873554805) * alphaOf(node, 1.6732632423543772),
      ),
  ),
  Clip: clip,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Abs: abs,
  Max: extremeOf("Less"),
  Min: extremeOf("Greater"),
  ReduceMax: extremeAlong("Less"),
  ReduceMin: extremeAlong("Greater"),
  ReduceL1: reduceL1,
  MaxPool: firstOfWindow,
  GlobalMaxPool: firstOfPlane,
};

/** Piecewise constant: the value at the point, so that nothing moves. */
export const STEPS: ReadonlySet<string> = new Set(["Floor", "Ceil", "Round", "Sign"]);
