/**
 * Shapes of operations that act on each element, with or without broadcasting.
 *
 * @module
 */

import type { ElementType } from "../../base/tensor.ts";
import { isAnonymous, product, quotient } from "../dims.ts";
import { type Dim, intOf, type Known, type Shape } from "../graph.ts";
import { known, MOST_ELEMENTS, type ShapeRule, type ShapeRules, type Site } from "./site.ts";

/** ONNX's numbers for element types, for `Cast` and its like. */
export const ELEMENT_TYPES: Readonly<Record<number, ElementType>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  4: "uint16",
  5: "int16",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float16",
  11: "float64",
  12: "uint32",
  13: "uint64",
};

/** The output is as the first input. */
export const asFirst: ShapeRule = (site) => [{ ...known(site.type(0), site.shape(0)) }];

/** As the first input, all outputs of the node alike (Dropout's mask is bool). */
const dropout: ShapeRule = (site) => {
  const first = site.input(0);
  return [
    first && { ...first },
    known(site.graph.opset < 10 ? site.type(0) : "bool", site.shape(0)),
  ];
};

type Unary = (x: number) => number;

function unary(compute: Unary, symbolic = false): ShapeRule {
  return (site) => {
    const elements = site.elements(0)?.map((x, i) =>
      typeof x === "number" ? round(compute(x), site.type(0)) : symbolic ? x : site.unknown(i)
    );
    return [known(site.type(0), site.shape(0), elements)];
  };
}

function round(x: number, type: ElementType): number {
  return type === "float32" ? Math.fround(x) : x;
}

/** Combines two extents or numbers; `undefined` where the result cannot be told. */
type Binary = (a: Dim, b: Dim, whole: boolean) => Dim | undefined;

function onNumbers(compute: (a: number, b: number) => number): Binary {
  return (a, b) => typeof a === "number" && typeof b === "number" ? compute(a, b) : undefined;
}

/** Extents are positive: a name is never equal to, or below, a number that is not. */
function compare(compute: (a: number, b: number) => boolean, whenSame: boolean): Binary {
  return (a, b) => {
    if (typeof a === "number" && typeof b === "number") return Number(compute(a, b));
    if (a === b) return Number(whenSame);
    if (typeof b === "number" && b <= 0 && !isAnonymous(a)) return Number(compute(1, b));
    if (typeof a === "number" && a <= 0 && !isAnonymous(b)) return Number(compute(a, 1));
    return undefined;
  };
}

const BINARY: Readonly<Record<string, Binary>> = {
  Add: (a, b) => a === 0 ? b : b === 0 ? a : onNumbers((x, y) => x + y)(a, b, true),
  Sub: (a, b) => a === b ? 0 : b === 0 ? a : onNumbers((x, y) => x - y)(a, b, true),
  Mul: (a, b) =>
    typeof a === "number" && typeof b === "number" ? a * b : product([a, b].filter((x) => x !== 1)),
  Div: (a, b, whole) =>
    typeof a === "number" && typeof b === "number"
      ? b === 0 && whole ? undefined : whole ? Math.trunc(a / b) : a / b
      : quotient(a, b),
  Mod: onNumbers((a, b) => a - Math.floor(a / b) * b),
  Pow: onNumbers((a, b) => a ** b),
  Min: (a, b) => a === b ? a : onNumbers(Math.min)(a, b, true),
  Max: (a, b) =>
    a === b
      ? a
      : typeof a === "string" && typeof b === "number" && b <= 1 && !isAnonymous(a)
      ? a
      : onNumbers(Math.max)(a, b, true),
  Equal: compare((a, b) => a === b, true),
  Greater: compare((a, b) => a > b, false),
  GreaterOrEqual: compare((a, b) => a >= b, true),
  Less: compare((a, b) => a < b, false),
  LessOrEqual: compare((a, b) => a <= b, true),
  And: onNumbers((a, b) => Number(a !== 0 && b !== 0)),
  Or: onNumbers((a, b) => Number(a !== 0 || b !== 0)),
  Xor: onNumbers((a, b) => Number((a !== 0) !== (b !== 0))),
};

/** Reads the element of a broadcast operand that belongs to a place in the result. */
export function broadcastIndex(place: number, result: readonly number[], operand: Shape): number {
  let index = 0;
  let stride = 1;
  for (let axis = result.length - 1, back = operand.length - 1; back >= 0; axis--, back--) {
    const at = place % result[axis];
    place = Math.floor(place / result[axis]);
    const extent = operand[back] as number;
    if (extent !== 1) index += at * stride;
    stride *= extent;
  }
  return index;
}

/** Elements of a broadcast operation, where the elements of all operands and the size of the result are known. */
function combine(
  site: Site,
  shape: Shape | undefined,
  compute: (operands: Dim[], place: number) => Dim,
): Dim[] | undefined {
  const size = site.size(shape);
  if (size === undefined || size > MOST_ELEMENTS) return undefined;
  const operands = site.node.inputs.map((_, i) => ({
    elements: site.elements(i),
    shape: site.shape(i)!,
  }));
  if (operands.some(({ elements }) => !elements)) return undefined;
  return Array.from(
    { length: size },
    (_, place) =>
      compute(
        operands.map((o) => o.elements![broadcastIndex(place, shape as number[], o.shape)]),
        place,
      ),
  );
}

/** The broadcast of all inputs; `undefined` if one of them has an unknown rank. */
function jointShape(site: Site): Shape | undefined {
  const shapes = site.node.inputs.map((_, i) => site.shape(i));
  return shapes.every((shape) => shape !== undefined) ? site.broadcast(shapes) : undefined;
}

function broadcasting(op: string, type?: ElementType): ShapeRule {
  const binary = BINARY[op];
  return (site) => {
    const shape = jointShape(site);
    // An operand of unknown type (an unknown op before it) takes the other's.
    const first = site.node.inputs.map((_, i) => site.input(i)).find((k) => k !== undefined);
    const result = type ?? first?.type ?? "float32";
    const whole = !result.startsWith("float");
    // With fmod the sign is the dividend's, which is not followed.
    const followed = op !== "Mod" || intOf(site.node, "fmod", 0) === 0;
    const elements = followed && binary && combine(site, shape, (operands, place) => {
      let value: Dim | undefined = operands[0];
      for (const operand of operands.slice(1)) {
        value = value === undefined ? undefined : binary(value, operand, whole);
      }
      return value === undefined
        ? site.unknown(place)
        : typeof value === "number"
        ? round(value, result)
        : value;
    });
    return [known(result, shape, elements || undefined)];
  };
}

const where: ShapeRule = (site) => {
  const shape = jointShape(site);
  const elements = combine(
    site,
    shape,
    ([condition, yes, no], place) =>
      typeof condition === "number"
        ? condition ? yes! : no!
        : yes === no
        ? yes!
        : site.unknown(place),
  );
  return [known(site.input(1)?.type ?? site.type(2), shape, elements)];
};

const cast: ShapeRule = (site) => {
  const type = ELEMENT_TYPES[intOf(site.node, "to", 1)];
  if (!type) return [undefined];
  const elements = site.elements(0)?.map((x): Dim =>
    typeof x !== "number" || type.startsWith("float")
      ? typeof x === "number" ? round(x, type) : x
      : type === "bool"
      ? Number(x !== 0)
      : Math.trunc(x)
  );
  return [known(type, site.shape(0), type === "bool" && hasNames(elements) ? undefined : elements)];
};

function hasNames(elements: readonly Dim[] | undefined): boolean {
  return elements?.some((x) => typeof x === "string") ?? false;
}

/** As `Cast`, to the type of the second input. */
const castLike: ShapeRule = (site) => {
  const type = site.type(1);
  const elements = type.startsWith("float")
    ? site.elements(0)
    : site.elements(0)?.map((x) => typeof x === "number" ? Math.trunc(x) : x);
  return [known(type, site.shape(0), type === "bool" ? undefined : elements)];
};

const likeSecond: ShapeRule = (site) => [known(site.type(1), site.shape(0))];

const prelu: ShapeRule = (site) => {
  const x = site.shape(0);
  const slope = site.shape(1);
  if (x && slope) site.broadcast([x, slope]);
  return asFirst(site);
};

/** The bounds are inputs since operator set 11, attributes before. An extent's name is at least 1. */
const clip: ShapeRule = (site) => {
  const bound = (input: number, attribute: string, none: number) => {
    const stated = site.node.attributes[attribute];
    if (stated?.kind === "float") return stated.value;
    return site.has(input) ? site.elements(input)?.[0] : none;
  };
  const low = bound(1, "min", -Infinity);
  const high = bound(2, "max", Infinity);
  const elements = site.elements(0)?.map((x, i): Dim => {
    if (typeof low !== "number" || typeof high !== "number") return site.unknown(i);
    // With the bounds crossed, ONNX gives the upper one.
    if (typeof x === "number") return round(Math.min(Math.max(x, low), high), site.type(0));
    return low <= 1 && high === Infinity && !isAnonymous(x) ? x : site.unknown(i);
  });
  return [known(site.type(0), site.shape(0), elements)];
};

const relu: ShapeRule = (site) => {
  const elements = site.elements(0)?.map((x, i): Dim =>
    typeof x === "number" ? Math.max(x, 0) : isAnonymous(x) ? site.unknown(i) : x
  );
  return [known(site.type(0), site.shape(0), elements)];
};

/** Running sums of a list; of tensors of higher rank only the shape is followed. */
const cumSum: ShapeRule = (site) => {
  const elements = site.shape(0)?.length === 1 ? site.elements(0) : undefined;
  if (!elements) return asFirst(site);
  const order = [...elements.keys()];
  if (intOf(site.node, "reverse", 0) !== 0) order.reverse();
  const exclusive = intOf(site.node, "exclusive", 0) !== 0;
  const sums: Dim[] = [...elements];
  let sum: Dim | undefined = 0;
  for (const i of order) {
    const next: Dim | undefined = sum === undefined
      ? undefined
      : BINARY["Add"]!(sum, elements[i]!, true);
    sums[i] = (exclusive ? sum : next) ?? site.unknown(i);
    sum = next;
  }
  return [known(site.type(0), site.shape(0), sums)];
};

/** A truth value of each element; extents are finite numbers. */
function asks(holds: (x: number, site: Site) => boolean): ShapeRule {
  return (site) => {
    const elements = site.elements(0)?.map((x, i): Dim =>
      typeof x === "number" ? Number(holds(x, site)) : isAnonymous(x) ? site.unknown(i) : 0
    );
    return [known("bool", site.shape(0), elements)];
  };
}

const isInfinite = asks((x, { node }) =>
  (x === Infinity && intOf(node, "detect_positive", 1) !== 0) ||
  (x === -Infinity && intOf(node, "detect_negative", 1) !== 0)
);

/** Of signed integers; the complement of unsigned ones depends on their width. */
const bitwiseNot: ShapeRule = (site) =>
  site.type(0).startsWith("int") ? unary((x) => -1 - x)(site) : asFirst(site);

const not: ShapeRule = (site) => {
  const elements = site.elements(0)?.map((x, i) =>
    typeof x === "number" ? Number(x === 0) : site.unknown(i)
  );
  return [known("bool", site.shape(0), elements)];
};

const quantize: ShapeRule = (site) => [
  known(
    site.has(2) ? site.type(2) : ELEMENT_TYPES[intOf(site.node, "output_dtype", 2)] ?? "uint8",
    site.shape(0),
  ),
];

const identity: ShapeRule = (site): (Known | undefined)[] => {
  const first = site.input(0);
  return [first && known(first.type, first.shape, site.elements(0))];
};
/**
 * Operations whose elements are not followed: a function whose last bit differs between libraries could tip a rounding that follows it,
 * and the graph would be given another shape than the runtime computes.
 */
const SAME_SHAPE = [
  "LeakyRelu",
  "ThresholdedRelu",
  "Elu",
  "Celu",
  "Selu",
  "Sigmoid",
  "HardSigmoid",
  "HardSwish",
  "Swish",
  "Tanh",
  "Sin",
  "Cos",
  "Tan",
  "Asin",
  "Acos",
  "Atan",
  "Sinh",
  "Cosh",
  "Asinh",
  "Acosh",
  "Atanh",
  "Erf",
  "Gelu",
  "Softplus",
  "Softsign",
  "Mish",
  "Exp",
  "Log",
  "Shrink",
  "Trilu",
];

/** Rules of elementwise operations. */
export const ELEMENTWISE: ShapeRules = {
  ...Object.fromEntries(SAME_SHAPE.map((op) => [op, asFirst])),
  ...Object.fromEntries(
    ["Add", "Sub", "Mul", "Div", "Pow", "Mod", "Min", "Max", "Sum", "Mean"]
      .concat("BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift")
      .map((op) => [op, broadcasting(op)]),
  ),
  ...Object.fromEntries(
    ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor"]
      .map((op) => [op, broadcasting(op, "bool")]),
  ),
  Abs: unary(Math.abs, true),
  Neg: unary((x) => -x),
  Sign: unary(Math.sign),
  Floor: unary(Math.floor, true),
  Ceil: unary(Math.ceil, true),
  // ONNX rounds halves to even, Math.round up.
  Round: unary((x) => Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x), true),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Identity: identity,
  Dropout: dropout,
  Where: where,
  Cast: cast,
  Clip: clip,
  Relu: relu,
  CumSum: cumSum,
  BitwiseNot: bitwiseNot,
  CastLike: castLike,
  PRelu: prelu,
  Not: not,
  IsNaN: asks((x) => Number.isNaN(x)),
  IsInf: isInfinite,
  QuantizeLinear: quantize,
  DequantizeLinear: likeSecond,
};
