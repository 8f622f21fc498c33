/**
 * How each op moves the receptive fields of its inputs; see `receptive_field.ts`.
 *
 * @module
 */

import { type Dim, intOf, intsOf, type Shape, stringOf } from "./graph.ts";
import { product } from "./dims.ts";
import type { AxisField, FieldSite, FieldState, TrackedField } from "./field.ts";
import { ELEMENTWISE } from "./shape_rules/elementwise.ts";
import { counted } from "./trace_site.ts";
import { windowsOf } from "./window.ts";

/** The state of a node's i-th output; `undefined` where the tensor is not spatial any more. */
type FieldRule = (site: FieldSite, output: number) => FieldState | undefined;

type Along = (field: AxisField, axis: number) => AxisField | undefined;

/** Changes both axes of the first input's field; lost where one of them is. */
function along(site: FieldSite, change: Along): FieldState | undefined {
  const state = site.state(0);
  if (state === undefined || state === "lost") return state;
  const y = change(state.y, state.axes[0]);
  const x = change(state.x, state.axes[1]);
  return y && x ? { ...state, y, x } : "lost";
}

/** The same field under other axes. */
function relocate(
  site: FieldSite,
  move: (axis: number) => number | undefined,
): FieldState | undefined {
  const state = site.state(0);
  if (state === undefined || state === "lost") return state;
  const [y, x] = [move(state.axes[0]), move(state.axes[1])];
  // Rows must stay before columns: a map is read as [h, w].
  return y === undefined || x === undefined || y > x ? undefined : { ...state, axes: [y, x] };
}

/** Skips `start` cells and then takes every `step`-th. */
function stepped({ centre, stride, size }: AxisField, start: number, step: number): AxisField {
  return { centre: centre + start * stride, stride: stride * step, size };
}

const same: FieldRule = (site) => site.state(0);
const ends: FieldRule = () => undefined;
const lost: FieldRule = () => "lost";

/** Depends on the whole image, cell by cell at the same place. */
const entire: FieldRule = (site) => {
  const state = site.state(0);
  return state && state !== "lost" ? { ...state, global: true } : state;
};

const window: FieldRule = (site) => {
  const x = site.shape(0);
  if (!x) return "lost";
  const weights = site.node.op === "Conv" ? site.shape(1)?.slice(2) : undefined;
  const kernel = intsOf(site.node, "kernel_shape") ?? weights;
  if (!kernel?.every((k) => typeof k === "number")) return "lost";
  const windows = windowsOf(site.node, x.slice(2), kernel as number[]);
  return along(site, ({ centre, stride, size }, axis) => {
    const w = windows[axis - 2];
    if (!w || w.before === undefined) return undefined;
    const reach = (w.kernel - 1) * w.dilation;
    return {
      centre: centre + (reach / 2 - w.before) * stride,
      stride: stride * w.stride,
      size: size + reach * stride,
    };
  });
};

/** Output cell o is fed by input cells (o + pad − k·dilation) / stride. */
const convTranspose: FieldRule = (site) => {
  const { node } = site;
  const x = site.shape(0);
  const out = site.outputShape(0);
  const weights = site.shape(1);
  return along(site, ({ centre, stride, size }, axis) => {
    const at = axis - 2;
    const step = intsOf(node, "strides")?.[at] ?? 1;
    const kernel = intsOf(node, "kernel_shape")?.[at] ?? weights?.[axis];
    if (typeof kernel !== "number" || at < 0) return undefined;
    const reach = (kernel - 1) * (intsOf(node, "dilations")?.[at] ?? 1);
    let before = intsOf(node, "pads")?.[at] ?? 0;
    const auto = stringOf(node, "auto_pad", "NOTSET");
    if (auto.startsWith("SAME") || intsOf(node, "output_shape")) {
      const [from, to] = [x?.[axis], out?.[axis]];
      if (typeof from !== "number" || typeof to !== "number") return undefined;
      const total = (from - 1) * step + (intsOf(node, "output_padding")?.[at] ?? 0) + reach + 1 -
        to;
      before = auto === "SAME_UPPER" ? Math.floor(total / 2) : total - Math.floor(total / 2);
    }
    return {
      centre: centre + (before - reach / 2) / step * stride,
      stride: stride / step,
      size: size + Math.floor(reach / step) * stride,
    };
  });
};

const resize: FieldRule = (site) => {
  const { node } = site;
  const x = site.shape(0);
  const out = site.outputShape(0);
  const mode = stringOf(node, "mode", "nearest");
  const upsample = node.op === "Upsample" || site.graph.opset < 11;
  const coordinates = upsample
    ? "asymmetric"
    : stringOf(node, "coordinate_transformation_mode", "half_pixel");
  return along(site, ({ centre, stride, size }, axis) => {
    const [from, to] = [x?.[axis], out?.[axis]];
    if (from !== undefined && from === to) return { centre, stride, size };
    if (typeof from !== "number" || typeof to !== "number") return undefined;
    let step = from / to;
    let start: number;
    if (coordinates === "asymmetric") start = 0;
    else if (coordinates === "align_corners") {
      start = 0;
      step = to > 1 ? (from - 1) / (to - 1) : 0;
    } else if (coordinates === "tf_crop_and_resize") return undefined;
    else if (coordinates === "pytorch_half_pixel" && to === 1) start = 0;
    else start = step / 2 - 0.5;
    // Nearest neighbours taken downwards from asymmetric coordinates lie (step − 1)/2 of a cell short of them on average.
    const floors = mode === "nearest" && coordinates === "asymmetric" && step < 1;
    if (floors) start = step / 2 - 0.5;
    const taps = mode === "nearest" ? 0 : mode === "linear" ? 1 : 3;
    const wide = intOf(node, "antialias", 0) ? Math.max(step, 1) : 1;
    return {
      centre: centre + start * stride,
      stride: stride * step,
      size: size + taps * wide * stride,
    };
  });
};

/** The smallest interval around cell 0's two intervals; `undefined` for different strides. */
function union(a: AxisField, b: AxisField): AxisField | undefined {
  if (Math.abs(a.stride - b.stride) > 1e-9 * a.stride) return undefined;
  const start = Math.min(a.centre - a.size / 2, b.centre - b.size / 2);
  const end = Math.max(a.centre + a.size / 2, b.centre + b.size / 2);
  return { centre: (start + end) / 2, stride: a.stride, size: end - start };
}

/**
 * Brings the fields of all inputs together, place by place. An input that depends on the image but has a single cell, or no
 * place at all, is a summary of the whole image: it leaves the field alone and marks it global.
 */
function join(site: FieldSite, broadcasts: boolean): FieldState | undefined {
  const out = site.outputShape(0);
  let joint: TrackedField | undefined;
  let global = false;
  for (const i of site.node.inputs.keys()) {
    if (!site.varies(i)) continue;
    const state = site.state(i);
    if (state === "lost") return "lost";
    const shape = site.shape(i);
    const shift = broadcasts && out && shape ? out.length - shape.length : 0;
    const axes = state && [state.axes[0] + shift, state.axes[1] + shift] as const;
    const single = state?.axes.every((axis, k) => shape?.[axis] === 1 && out?.[axes![k]] !== 1);
    if (!state || single) {
      global = true;
      continue;
    }
    if (!joint) {
      joint = { ...state, axes: axes! };
      continue;
    }
    const y = union(joint.y, state.y);
    const x = union(joint.x, state.x);
    const aligned = joint.axes[0] === axes![0] && joint.axes[1] === axes![1];
    if (!y || !x || !aligned) return "lost";
    joint = { ...joint, y, x, global: joint.global || state.global };
  }
  return joint && { ...joint, global: joint.global || global };
}

const elementwise: FieldRule = (site) => join(site, true);

const concat: FieldRule = (site) => {
  const rank = site.outputShape(0)?.length;
  const joint = join(site, false);
  if (!joint || joint === "lost" || rank === undefined) return joint && "lost";
  return joint.axes.includes(counted(intOf(site.node, "axis", 1), rank)) ? "lost" : joint;
};

/** A list that is an attribute in older operator sets and an input in newer ones. */
function list(site: FieldSite, attribute: string, input: number): readonly number[] | undefined {
  return intsOf(site.node, attribute) ?? site.numbers(input);
}

/** Which normalised or exponentiated axes are spatial decides whether the whole image enters. */
function overAxes(axesOf: (site: FieldSite, rank: number) => readonly number[]): FieldRule {
  return (site, output) => {
    const state = site.state(0);
    const rank = site.shape(0)?.length;
    if (!state || state === "lost" || rank === undefined) return state && "lost";
    const axes = axesOf(site, rank).map((axis) => counted(axis, rank));
    return axes.some((axis) => state.axes.includes(axis)) ? entire(site, output) : state;
  };
}

const softmax = overAxes((site, rank) => {
  const axis = intOf(site.node, "axis", site.graph.opset < 13 ? 1 : -1);
  return site.graph.opset < 13 ? from(axis, rank) : [axis];
});

function from(axis: number, rank: number): number[] {
  const first = counted(axis, rank);
  return Array.from({ length: rank - first }, (_, i) => first + i);
}

const layerNorm = overAxes((site, rank) => from(intOf(site.node, "axis", -1), rank));
const lpNorm = overAxes((site) => [intOf(site.node, "axis", -1)]);

/** Padding in front moves cell 0 back. Reflected and repeated pixels count as padding. */
const pad: FieldRule = (site) => {
  const rank = site.shape(0)?.length;
  const pads = list(site, "pads", 1);
  if (rank === undefined || !pads) return "lost";
  const axes = site.numbers(3)?.map((axis) => counted(axis, rank)) ??
    Array.from({ length: rank }, (_, axis) => axis);
  return along(site, (field, axis) => stepped(field, -(pads[axes.indexOf(axis)] ?? 0), 1));
};

const slice: FieldRule = (site) => {
  const shape = site.shape(0);
  const starts = list(site, "starts", 1);
  if (!shape || !starts) return "lost";
  const axes = (list(site, "axes", 3) ?? starts.map((_, i) => i))
    .map((axis) => counted(axis, shape.length));
  const steps = site.numbers(4);
  return along(site, (field, axis) => {
    const i = axes.indexOf(axis);
    if (i < 0) return field;
    const [start, step, extent] = [starts[i], steps?.[i] ?? 1, shape[axis]];
    if (step < 1 || (start < 0 && typeof extent !== "number")) return undefined;
    return stepped(field, start < 0 ? Math.max(start + Number(extent), 0) : start, step);
  });
};

const split: FieldRule = (site, output) => {
  const rank = site.shape(0)?.length;
  if (rank === undefined) return "lost";
  const axis = counted(intOf(site.node, "axis", 0), rank);
  return along(site, (field, at) => {
    if (at !== axis) return field;
    let start = 0;
    for (let i = 0; i < output; i++) start += Number(site.outputShape(i)?.[axis]);
    return Number.isNaN(start) ? undefined : stepped(field, start, 1);
  });
};

const gather: FieldRule = (site) => {
  const rank = site.shape(0)?.length;
  const indices = site.shape(1);
  if (rank === undefined || !indices) return "lost";
  const axis = counted(intOf(site.node, "axis", 0), rank);
  return relocate(
    site,
    (at) => at === axis ? undefined : at < axis ? at : at - 1 + indices.length,
  );
};

const transpose: FieldRule = (site) => {
  const rank = site.shape(0)?.length;
  if (rank === undefined) return "lost";
  const perm = intsOf(site.node, "perm");
  return relocate(site, (axis) => perm ? perm.indexOf(axis) : rank - 1 - axis);
};

/** A spatial axis survives a reshape where its extent and the number of elements in one step along it do. */
const reshape: FieldRule = (site) => {
  const [shape, out] = [site.shape(0), site.outputShape(0)];
  if (!shape || !out) return "lost";
  const perStep = (of: Shape, axis: number): Dim | undefined => product(of.slice(axis + 1));
  return relocate(site, (axis) => {
    const wanted = perStep(shape, axis);
    const found = out.findIndex((dim, at) => dim === shape[axis] && perStep(out, at) === wanted);
    return found < 0 || wanted === undefined ? undefined : found;
  });
};

const squeeze: FieldRule = (site) => {
  const shape = site.shape(0);
  if (!shape) return "lost";
  const axes = list(site, "axes", 1)?.map((axis) => counted(axis, shape.length)) ??
    [...shape.keys()].filter((axis) => shape[axis] === 1);
  return relocate(
    site,
    (axis) => axes.includes(axis) ? undefined : axis - axes.filter((a) => a < axis).length,
  );
};

const unsqueeze: FieldRule = (site) => {
  const out = site.outputShape(0);
  const axes = out && list(site, "axes", 1)?.map((axis) => counted(axis, out.length));
  if (!axes) return "lost";
  const old = [...out.keys()].filter((axis) => !axes.includes(axis));
  return relocate(site, (axis) => old[axis]);
};

const reduce: FieldRule = (site) => {
  const rank = site.shape(0)?.length;
  if (rank === undefined) return "lost";
  const single = site.node.op.startsWith("Arg") ? [intOf(site.node, "axis", 0)] : undefined;
  const listed = single ?? list(site, "axes", 1);
  if (!listed?.length && intOf(site.node, "noop_with_empty_axes", 0) !== 0) return site.state(0);
  const axes = listed?.length
    ? listed.map((axis) => counted(axis, rank))
    : Array.from({ length: rank }, (_, axis) => axis);
  const keep = intOf(site.node, "keepdims", 1) !== 0;
  return relocate(
    site,
    (axis) =>
      axes.includes(axis) ? undefined : keep ? axis : axis - axes.filter((a) => a < axis).length,
  );
};

/** Expand and Tile: repeating along a spatial axis ends the grid. */
const repeat: FieldRule = (site) => {
  const [shape, out] = [site.shape(0), site.outputShape(0)];
  if (!shape || !out) return "lost";
  const shift = out.length - shape.length;
  return relocate(site, (axis) => shape[axis] === out[axis + shift] ? axis + shift : undefined);
};

/** A product with a constant matrix along the last axis mixes channels of [N, H, W, C]. */
const matMul: FieldRule = (site) => {
  const state = site.state(0);
  const rank = site.shape(0)?.length;
  if (!state || state === "lost" || rank === undefined) return undefined;
  if (site.varies(1) || site.shape(1)?.length !== 2 || state.axes[1] >= rank - 1) return undefined;
  return state;
};

function blocks(direction: "depth" | "space"): FieldRule {
  return (site) => {
    const block = intOf(site.node, "blocksize", 1);
    return along(site, ({ centre, stride, size }) =>
      direction === "space"
        ? {
          centre: centre + (block - 1) / 2 * stride,
          stride: stride * block,
          size: size + (block - 1) * stride,
        }
        : { centre: centre + (1 / block - 1) / 2 * stride, stride: stride / block, size });
  };
}

function all(ops: readonly string[], rule: FieldRule): Record<string, FieldRule> {
  return Object.fromEntries(ops.map((op) => [op, rule]));
}

/** Field rules by op of the standard domain. An op without one loses the field. */
export const FIELD_RULES: Readonly<Record<string, FieldRule>> = {
  ...all(Object.keys(ELEMENTWISE), elementwise),
  ...all(["CumSum", "Trilu"], lost),
  ...all(["Conv", "MaxPool", "AveragePool", "LpPool"], window),
  ...all(["BatchNormalization", "LRN"], same),
  ...all(["InstanceNormalization", "GroupNormalization", "MeanVarianceNormalization"], entire),
  ...all(["Softmax", "LogSoftmax", "Hardmax"], softmax),
  ...all(["LayerNormalization", "RMSNormalization"], layerNorm),
  ...all(["Resize", "Upsample"], resize),
  ...all(["Expand", "Tile"], repeat),
  ...all(["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "Gemm", "Shape", "Size"], ends),
  ...all(
    ["Mean", "Sum", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"]
      .map((name) => `Reduce${name}`),
    reduce,
  ),
  ...all(["ArgMax", "ArgMin"], reduce),
  LpNormalization: lpNorm,
  ConvTranspose: convTranspose,
  Concat: concat,
  Pad: pad,
  Slice: slice,
  Split: split,
  Gather: gather,
  Transpose: transpose,
  Reshape: reshape,
  Flatten: reshape,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  MatMul: matMul,
  DepthToSpace: blocks("depth"),
  SpaceToDepth: blocks("space"),
};
