/**
 * How each op moves the axes of the picture; see `image_axes.ts`.
 *
 * @module
 */

import { type Axes, type Axis, channels, combined } from "./axis_factors.ts";
import { isAssumed, isLine, isList, isPlace, line, refined, reshaped } from "./axis_factors.ts";
import { type Dim, intOf, intsOf, type Shape, stringOf } from "./graph.ts";
import { ELEMENTWISE } from "./shape_rules/elementwise.ts";
import { counted, type TraceSite } from "./trace_site.ts";

type AxesSite = TraceSite<Axes>;

/** The axes of a node's i-th output; `undefined` where they cannot be told. */
type AxesRule = (site: AxesSite, output: number) => Axes | undefined;

const first: AxesRule = (site) => site.state(0);

/** The axes of inputs that are broadcast to the leading axes of a shape. Inputs whose axes are lost are taken to agree with the others. */
function broadcast(
  site: AxesSite,
  to: Shape,
  inputs: readonly number[],
  dropped = 0,
): Axis[] | undefined {
  const result: (Axis | undefined)[] = to.map(() => undefined);
  for (const i of inputs) {
    const [axes, shape] = [site.state(i), site.shape(i)];
    if (!site.varies(i) || !axes || !shape) continue;
    const shift = to.length - (shape.length - dropped);
    for (const [at, extent] of shape.slice(0, shape.length - dropped).entries()) {
      const into = at + shift;
      if (extent === 1 && to[into] !== 1) continue;
      const before = result[into];
      const now = before ? combined(before, axes[at]) : axes[at];
      if (!now) return undefined;
      result[into] = now;
    }
  }
  return result.map((axis, at) => axis ?? channels(to[at]));
}

const elementwise: AxesRule = (site) => {
  const out = site.outputShape(0);
  const inputs = [...site.node.inputs.keys()];
  if (!out || !inputs.some((i) => site.varies(i) && site.state(i))) return undefined;
  return broadcast(site, out, inputs);
};

/** An axis of another extent than before: rows and columns stay such, anything else becomes channels. */
function resized(axis: Axis, from: Dim | undefined, to: Dim): Axis {
  if (from === to) return axis;
  const [factor] = axis;
  const single = axis.length === 1 && (factor?.of === "y" || factor?.of === "x") ? factor.of : "";
  return single && typeof to === "number" ? line(single, to, isAssumed([axis])) : channels(to);
}

/** Windows that slide over the axes from the third on. */
const windows: AxesRule = (site) => {
  const [axes, from, out] = [site.state(0), site.shape(0), site.outputShape(0)];
  if (!out) return undefined;
  const pools = site.node.op.endsWith("Pool");
  const kernel = intsOf(site.node, "kernel_shape") ?? (pools ? [] : site.shape(1)?.slice(2) ?? []);
  const wide = kernel.length === 2 && kernel.every((extent) => extent !== 1);
  if (!axes || !from) return wide ? picture(site, out) : undefined;
  const spatial = axes.slice(2);
  const grid = isLine(spatial[0], "y") && isLine(spatial[1], "x") ||
    isLine(spatial[0], "x") && isLine(spatial[1], "y");
  const samples = axes[0].every(({ of }) => of === "batch");
  // What is no grid is a picture to the window nevertheless; but weights of attention are none.
  if (wide && samples && !grid && !spatial.some(isList)) return picture(site, out);
  return [
    axes[0],
    pools ? axes[1] : channels(out[1]),
    ...spatial.map((axis, i) => resized(axis, from[i + 2], out[i + 2])),
  ];
};

/** A tensor [N, C, h, w] whose rows and columns begin anew, taken for those of the picture; `undefined` where its batch is not the image's. */
function picture(site: AxesSite, shape: Shape): Axes | undefined {
  const [n, c, h, w] = shape;
  const batch = site.graph.inputs[0]?.shape?.[0];
  if (n !== batch || typeof h !== "number" || typeof w !== "number") return undefined;
  return [[{ of: "batch", extent: n! }], channels(c), line("y", h, true), line("x", w, true)];
}

/** Resizing, padding and the like: axes keep what they are, with the extents of the output. */
const rescaled: AxesRule = (site) => {
  const [axes, from, out] = [site.state(0), site.shape(0), site.outputShape(0)];
  if (!axes || !from || !out) return undefined;
  return axes.map((axis, at) => resized(axis, from[at], out[at]));
};

const globalPool: AxesRule = (site) => site.state(0)?.map((axis, at) => at < 2 ? axis : []);

/** A product with constants along a list of cells mixes them and keeps the list. */
function mixed(axis: Axis, to: Dim, from: Dim | undefined): Axis {
  const places = isList(axis) || isLine(axis, "y") || isLine(axis, "x");
  return places && from === to ? axis : channels(to);
}

const matMul: AxesRule = (site) => {
  const [a, b] = [site.state(0), site.state(1)];
  const [left, right, out] = [site.shape(0), site.shape(1), site.outputShape(0)];
  if (!left || !right || !out || left.length < 2 || right.length < 2) return undefined;
  if ((site.varies(0) && !a) || (site.varies(1) && !b)) return undefined;
  const leading = broadcast(site, out.slice(0, -2), [0, 1], 2);
  if (!leading) return undefined;
  const rows = a ? a.at(-2)! : mixed(b!.at(-2)!, out.at(-2)!, right.at(-2));
  const columns = b ? b.at(-1)! : mixed(a!.at(-1)!, out.at(-1)!, left.at(-1));
  return [...leading, rows, columns];
};

const gemm: AxesRule = (site) => {
  const out = site.outputShape(0);
  const [a, b] = [site.state(0), site.state(1)];
  if (!out || (site.varies(0) && !a) || (site.varies(1) && !b)) return undefined;
  const rows = a?.[intOf(site.node, "transA", 0) ? 1 : 0] ?? channels(out[0]);
  const columns = b?.[intOf(site.node, "transB", 0) ? 0 : 1] ?? channels(out[1]);
  return [rows, columns];
};

const einsum: AxesRule = (site) => {
  const [terms, result] = stringOf(site.node, "equation", "").replaceAll(" ", "").split("->");
  const out = site.outputShape(0);
  if (!terms || result === undefined || result.includes(".") || !out) return undefined;
  const axes = new Map<string, Axis>();
  for (const [i, term] of terms.split(",").entries()) {
    const state = site.state(i);
    if (site.varies(i) && !state) return undefined;
    state?.forEach((axis, at) => {
      const letter = term[at] ?? "";
      const known = axes.get(letter);
      axes.set(letter, known ? combined(known, axis) ?? known : axis);
    });
  }
  return [...result].map((letter, at) => axes.get(letter) ?? channels(out[at]));
};

const concat: AxesRule = (site) => {
  const out = site.outputShape(0);
  if (!out) return undefined;
  const at = counted(intOf(site.node, "axis", 1), out.length);
  const inputs = [...site.node.inputs.keys()];
  const known = inputs.filter((i) => site.varies(i) && site.state(i));
  if (known.length === 0) return undefined;
  const result = out.map((dim) => channels(dim));
  for (const axis of out.keys()) {
    if (axis === at) continue;
    let found: Axis | undefined;
    for (const i of known) {
      const own = site.state(i)![axis];
      found = found ? combined(found, own) : own;
      if (!found) return undefined;
    }
    result[axis] = found!;
  }
  result[at] = concatenated(site, inputs, at, out[at]);
  return result;
};

/** The axis along which tensors are concatenated. */
function concatenated(site: AxesSite, inputs: readonly number[], at: number, extent: Dim): Axis {
  const parts = inputs.map((i) => site.varies(i) ? site.state(i)?.[at] : undefined);
  // Constants beside rows or columns are padding.
  const of = (kind: "y" | "x") =>
    parts.every((part, i) =>
        site.varies(inputs[i]) ? part?.length === 1 && part[0].of === kind : true
      )
      ? kind
      : undefined;
  const lines = of("y") ?? of("x");
  if (lines && typeof extent === "number") {
    return line(lines, extent, isAssumed(parts.filter((part) => part !== undefined)));
  }
  const lists = parts.flatMap((part, i) => part && isList(part) ? [i] : []);
  const list = lists.length === 1 ? parts[lists[0]]! : undefined;
  if (!list || typeof extent !== "number") return channels(extent);
  let before = 0;
  for (const i of inputs.slice(0, lists[0])) before += Number(site.shape(i)?.[at]);
  const [inner] = list;
  if (Number.isNaN(before)) return channels(extent);
  return inner?.of === "tokens"
    ? [{ ...inner, extent, before: before + inner.before }]
    : [{ of: "tokens", extent, before, cells: list }];
}

/** How many there are in a list of cells. */
function countOf(cells: Axis): number {
  return cells.reduce((count, { extent }) => count * Number(extent), 1);
}

/** The part of an axis from `start` on. */
function partOf(axis: Axis, from: Dim | undefined, start: number, extent: Dim): Axis {
  if (from === extent) return axis;
  const [tokens] = axis;
  if (tokens?.of !== "tokens" || typeof extent !== "number") return resized(axis, from, extent);
  const before = tokens.before - start;
  const count = countOf(tokens.cells);
  if (before < 0 || before + count > extent) return channels(extent);
  return before === 0 && count === extent ? tokens.cells : [{ ...tokens, extent, before }];
}

const slice: AxesRule = (site) => {
  const [axes, from, out] = [site.state(0), site.shape(0), site.outputShape(0)];
  const starts = intsOf(site.node, "starts") ?? site.numbers(1);
  if (!axes || !from || !out) return undefined;
  const listed = intsOf(site.node, "axes") ?? site.numbers(3) ?? starts?.map((_, i) => i);
  return axes.map((axis, at) => {
    if (from[at] === out[at]) return axis;
    const i = listed?.findIndex((given) => counted(given, from.length) === at) ?? -1;
    const start = counted(starts?.[i] ?? 0, Number(from[at]));
    return (site.numbers(4)?.[i] ?? 1) === 1
      ? partOf(axis, from[at], start, out[at])
      : resized(axis, from[at], out[at]);
  });
};

const splits: AxesRule = (site, output) => {
  const [axes, from, out] = [site.state(0), site.shape(0), site.outputShape(output)];
  if (!axes || !from || !out) return undefined;
  const at = counted(intOf(site.node, "axis", 0), from.length);
  let start = 0;
  for (let i = 0; i < output; i++) start += Number(site.outputShape(i)?.[at]);
  return axes.map((axis, i) => i === at ? partOf(axis, from[at], start, out[at]) : axis);
};

const gather: AxesRule = (site) => {
  const [axes, from, indices, out] = [
    site.state(0),
    site.shape(0),
    site.shape(1),
    site.outputShape(0),
  ];
  if (!axes || site.varies(1) || !from || !indices || !out) return undefined;
  const at = counted(intOf(site.node, "axis", 0), from.length);
  const taken = site.numbers(1);
  const axis = axes[at];
  const consecutive = taken?.every((value, i) => value === taken[0] + i);
  const extent = out[at];
  let picked: Axis[] | undefined;
  if (indices.length === 0) picked = [];
  else if (!axis.some(isPlace)) picked = indices.map((dim) => channels(dim));
  else if (indices.length !== 1 || extent === undefined) return undefined;
  else if (consecutive) picked = [partOf(axis, from[at], Math.max(taken![0], 0), extent)];
  else if (axis.length === 1 && axis[0].of !== "tokens") {
    picked = [resized(axis, from[at], extent)];
  }
  return picked && [...axes.slice(0, at), ...picked, ...axes.slice(at + 1)];
};

const transpose: AxesRule = (site) => {
  const axes = site.state(0);
  const perm = intsOf(site.node, "perm");
  return axes && (perm ? perm.map((axis) => axes[axis]) : [...axes].reverse());
};

const reshape: AxesRule = (site) => {
  const [axes, out] = [site.state(0), site.outputShape(0)];
  const found = axes && out && reshaped(axes, out);
  return found && refined(found);
};

const reduce: AxesRule = (site) => {
  const [axes, out] = [site.state(0), site.outputShape(0)];
  if (!axes || !out) return undefined;
  const single = site.node.op.startsWith("Arg") ? [intOf(site.node, "axis", 0)] : undefined;
  const listed = single ?? intsOf(site.node, "axes") ?? site.numbers(1);
  if (!listed && (site.node.inputs[1] ?? "") !== "") return undefined;
  if (!listed?.length && intOf(site.node, "noop_with_empty_axes", 0) !== 0) return axes;
  const gone = new Set(
    listed?.length ? listed.map((axis) => counted(axis, axes.length)) : axes.keys(),
  );
  const keep = intOf(site.node, "keepdims", 1) !== 0;
  return axes.flatMap((axis, at) => gone.has(at) ? (keep ? [[]] : []) : [axis]);
};

/** Expand and Tile: what is repeated has other extents. */
const repeat: AxesRule = (site) => {
  const [axes, from, out] = [site.state(0), site.shape(0), site.outputShape(0)];
  if (!axes || !from || !out) return undefined;
  const shift = out.length - from.length;
  return out.map((dim, at) => {
    const axis = axes[at - shift];
    return axis && from[at - shift] === dim ? axis : channels(dim);
  });
};

const blocks: AxesRule = (site) => {
  const [axes, out] = [site.state(0), site.outputShape(0)];
  if (!axes || !out) return undefined;
  const from = site.shape(0);
  return axes.map((axis, at): Axis =>
    at === 0 ? axis : at === 1 ? channels(out[1]) : resized(axis, from?.[at], out[at])
  );
};

/** Fused attention: a row of the query stays a row of the output. */
const attention: AxesRule = (site) => {
  const [axes, out] = [site.state(0), site.outputShape(0)];
  return axes && out && [...axes.slice(0, -1), channels(out.at(-1)!)];
};

function all(ops: readonly string[], rule: AxesRule): Record<string, AxesRule> {
  return Object.fromEntries(ops.map((op) => [op, rule]));
}

/** Axes rules by op of the standard domain. An op without one loses the axes. */
export const AXES_RULES: Readonly<Record<string, AxesRule>> = {
  ...all(Object.keys(ELEMENTWISE), elementwise),
  ...all(["Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool"], windows),
  ...all(["BatchNormalization", "LRN", "InstanceNormalization", "GroupNormalization"], first),
  ...all(["MeanVarianceNormalization", "LayerNormalization", "RMSNormalization"], first),
  ...all(["LpNormalization", "RotaryEmbedding", "Softmax", "LogSoftmax", "Hardmax"], first),
  ...all(["ScatterND", "ScatterElements"], first),
  ...all(["Resize", "Upsample", "Pad"], rescaled),
  ...all(["Expand", "Tile"], repeat),
  ...all(["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"], globalPool),
  ...all(["Reshape", "Flatten", "Squeeze", "Unsqueeze"], reshape),
  ...all(
    ["Mean", "Sum", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"]
      .map((name) => `Reduce${name}`),
    reduce,
  ),
  ...all(["ArgMax", "ArgMin"], reduce),
  ...all(["DepthToSpace", "SpaceToDepth"], blocks),
  Attention: attention,
  MatMul: matMul,
  Gemm: gemm,
  Einsum: einsum,
  Concat: concat,
  Slice: slice,
  Split: splits,
  Gather: gather,
  Transpose: transpose,
};
