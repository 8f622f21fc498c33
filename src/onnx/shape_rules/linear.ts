/**
 * Shapes of matrix products, reductions and normalised exponentials.
 *
 * @module
 */

import { meet, product } from "../dims.ts";
import { type Dim, intOf, type Shape, stringOf } from "../graph.ts";
import { asFirst } from "./elementwise.ts";
import { known, type ShapeRule, type ShapeRules, type Site } from "./site.ts";

function agree(site: Site, a: Dim, b: Dim, left: Shape, right: Shape): void {
  if (meet(a, b) === undefined) {
    site.fail(`[${left.join(", ")}] and [${right.join(", ")}] cannot be multiplied`);
  }
}

const gemm: ShapeRule = (site) => {
  const a = site.shape(0);
  const b = site.shape(1);
  const [m, k] = a && intOf(site.node, "transA", 0) ? [a[1], a[0]] : [a?.[0], a?.[1]];
  const [inner, n] = b && intOf(site.node, "transB", 0) ? [b[1], b[0]] : [b?.[0], b?.[1]];
  if (a && a.length !== 2) site.fail(`rank ${a.length} of the first input, where it needs 2`);
  if (b && b.length !== 2) site.fail(`rank ${b.length} of the second input, where it needs 2`);
  if (a && b) agree(site, k!, inner!, a, b);
  const shape = [m ?? site.unknown(0), n ?? site.unknown(1)];
  const c = site.shape(2);
  if (c) site.broadcast([shape, c]);
  return [known(site.type(0), shape)];
};

const matMul: ShapeRule = (site) => {
  const a = site.shape(0);
  const b = site.shape(1);
  if (!a || !b || a.length === 0 || b.length === 0) return [known(site.type(0))];
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  agree(site, left.at(-1)!, right.at(-2)!, a, b);
  const shape: Dim[] = [...site.broadcast([left.slice(0, -2), right.slice(0, -2)])];
  if (a.length > 1) shape.push(left.at(-2)!);
  if (b.length > 1) shape.push(right.at(-1)!);
  return [known(site.type(0), shape)];
};

const einsum: ShapeRule = (site) => {
  const equation = stringOf(site.node, "equation", "").replaceAll(" ", "");
  if (equation.includes(".")) return [known(site.type(0))];
  const [left, right] = equation.split("->");
  const extents = new Map<string, Dim>();
  const terms = left!.split(",");
  for (const [i, term] of terms.entries()) {
    const shape = site.shape(i);
    if (!shape) continue;
    if (shape.length !== term.length) {
      site.fail(`term ${term} for an input of rank ${shape.length}`);
    }
    [...term].forEach((letter, axis) => {
      extents.set(
        letter,
        meet(extents.get(letter) ?? shape[axis], shape[axis]) ??
          site.fail(`two extents of axis ${letter} in ${equation}`),
      );
    });
  }
  // Without "->", the letters that occur once, in alphabetical order.
  const all = terms.join("");
  const result = right ??
    [...new Set(all)].filter((c) => all.indexOf(c) === all.lastIndexOf(c)).sort().join("");
  return [
    known(site.type(0), [...result].map((letter, i) => extents.get(letter) ?? site.unknown(i))),
  ];
};

const FOLDS: Readonly<Record<string, (elements: readonly Dim[]) => Dim | undefined>> = {
  ReduceProd: (elements) => product(elements.filter((e) => e !== 1)),
  ReduceSum: numeric((elements) => elements.reduce((a, b) => a + b, 0)),
  ReduceMax: numeric((elements) => Math.max(...elements)),
  ReduceMin: numeric((elements) => Math.min(...elements)),
};

function numeric(fold: (elements: readonly number[]) => number) {
  return (elements: readonly Dim[]) =>
    elements.every((e) => typeof e === "number") ? fold(elements as number[]) : undefined;
}

const reduce: ShapeRule = (site) => {
  const x = site.shape(0);
  const keep = intOf(site.node, "keepdims", 1) !== 0;
  if (!x) return [known(site.type(0))];
  const listed = site.list("axes", 1);
  if (!listed && site.has(1)) {
    return [known(site.type(0), keep ? site.unknownShape(x.length) : undefined)];
  }
  if (!listed?.length && intOf(site.node, "noop_with_empty_axes", 0) !== 0) return asFirst(site);
  const axes = listed?.length
    ? new Set(listed.map((axis) => site.axis(axis, x.length)))
    : new Set(x.keys());
  const shape = x.map((dim, axis) => axes.has(axis) ? 1 : dim)
    .filter((_, axis) => keep || !axes.has(axis));
  const elements = axes.size === x.length ? site.elements(0) : undefined;
  const value = elements && FOLDS[site.node.op]?.(elements);
  return [known(site.type(0), shape, value === undefined ? undefined : [value])];
};

const argReduce: ShapeRule = (site) => {
  const x = site.shape(0);
  if (!x) return [known("int64")];
  const at = site.axis(intOf(site.node, "axis", 0), x.length);
  const keep = intOf(site.node, "keepdims", 1) !== 0;
  return [
    known("int64", x.map((dim, axis) => axis === at ? 1 : dim).filter((_, a) => keep || a !== at)),
  ];
};

const softmax: ShapeRule = (site) => {
  const x = site.shape(0);
  const axis = intOf(site.node, "axis", site.graph.opset < 13 ? 1 : -1);
  // Before operator set 13 the axis only says where to flatten, and the rank itself is allowed.
  if (x && !(site.graph.opset < 13 && axis === x.length)) site.axis(axis, x.length);
  return asFirst(site);
};

const topK: ShapeRule = (site) => {
  const x = site.shape(0);
  if (!x) return [known(site.type(0)), known("int64")];
  const at = site.axis(intOf(site.node, "axis", -1), x.length);
  const attribute = site.node.attributes["k"];
  const k = attribute?.kind === "int" ? attribute.value : site.elements(1)?.[0];
  const shape = x.map((dim, axis) => axis === at ? k ?? site.unknown(axis) : dim);
  return [known(site.type(0), shape), known("int64", shape)];
};

/** The recurrent ops: Y [T, directions, N, hidden], then the last states [directions, N, hidden]. */
const recurrent: ShapeRule = (site) => {
  const x = site.shape(0);
  const w = site.shape(1);
  const hidden = intOf(site.node, "hidden_size", 0);
  if (!x || !w || hidden === 0 || intOf(site.node, "layout", 0) !== 0) {
    return [known(site.type(0))];
  }
  const last = [w[0], x[1], hidden];
  return site.node.outputs.map((_, i) => known(site.type(0), i === 0 ? [x[0], ...last] : last));
};

const REDUCTIONS = [
  "Mean",
  "Sum",
  "Max",
  "Min",
  "Prod",
  "L1",
  "L2",
  "SumSquare",
  "LogSum",
  "LogSumExp",
];

/** Rules of linear algebra and reductions. */
export const LINEAR: ShapeRules = {
  Gemm: gemm,
  MatMul: matMul,
  Einsum: einsum,
  ...Object.fromEntries(REDUCTIONS.map((name) => [`Reduce${name}`, reduce])),
  ArgMax: argReduce,
  ArgMin: argReduce,
  Softmax: softmax,
  LogSoftmax: softmax,
  Hardmax: softmax,
  TopK: topK,
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
};
