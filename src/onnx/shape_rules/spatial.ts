/**
 * Shapes of convolutions, pools, resizing and everything else that knows of image axes. Layout [N, C, spatial …].
 *
 * @module
 */

import { product } from "../dims.ts";
import { type Dim, intOf, intsOf, type Shape, stringOf } from "../graph.ts";
import { type AxisWindow, windowsOf } from "../window.ts";
import { asFirst } from "./elementwise.ts";
import { known, type ShapeRule, type ShapeRules, type Site } from "./site.ts";

function extents(site: Site, windows: readonly AxisWindow[]): Dim[] {
  return windows.map(({ output, kernel }, axis) => {
    if (typeof output === "number" && output < 1) {
      site.fail(
        `the input's extent ${site.shape(0)![axis + 2]} is smaller than the window of ${kernel}`,
      );
    }
    return output ?? site.unknown(axis + 2);
  });
}

function spatialRank(site: Site, shape: Shape, rank: number): void {
  if (shape.length !== rank) {
    site.fail(`rank ${shape.length} of the input where the window needs ${rank}`);
  }
}

const conv: ShapeRule = (site) => {
  const x = site.shape(0);
  const w = site.shape(1);
  if (!x || !w) return [known(site.type(0))];
  if (w.length < 3) site.fail(`weights of rank ${w.length}`);
  spatialRank(site, x, w.length);
  const group = intOf(site.node, "group", 1);
  const [n, channels] = x;
  if (typeof channels === "number" && typeof w[1] === "number" && channels !== w[1] * group) {
    site.fail(
      `${channels} input channels where the weights [${w.join(", ")}] in ${group} group${
        group === 1 ? "" : "s"
      } take ${w[1] * group}`,
    );
  }
  if (typeof w[0] === "number" && w[0] % group !== 0) {
    site.fail(`${w[0]} filters in ${group} groups`);
  }
  const kernel = intsOf(site.node, "kernel_shape") ?? w.slice(2);
  if (!kernel.every((k) => typeof k === "number")) {
    return [known(site.type(0), [n!, w[0], ...site.unknownShape(x.length).slice(2)])];
  }
  const windows = windowsOf(site.node, x.slice(2), kernel as number[]);
  return [known(site.type(0), [n!, w[0], ...extents(site, windows)])];
};

const convTranspose: ShapeRule = (site) => {
  const x = site.shape(0);
  const w = site.shape(1);
  if (!x || !w) return [known(site.type(0))];
  spatialRank(site, x, w.length);
  const { node } = site;
  const group = intOf(node, "group", 1);
  if (typeof x[1] === "number" && typeof w[0] === "number" && x[1] !== w[0]) {
    site.fail(`${x[1]} input channels where the weights take ${w[0]}`);
  }
  const filters = typeof w[1] === "number" ? w[1] * group : site.unknown(1);
  const fixed = intsOf(node, "output_shape");
  const auto = stringOf(node, "auto_pad", "NOTSET");
  const spatial = x.slice(2).map((extent, axis): Dim => {
    const explicit = fixed?.[fixed.length - x.length + 2 + axis];
    if (explicit !== undefined) return explicit;
    const stride = intsOf(node, "strides")?.[axis] ?? 1;
    const dilation = intsOf(node, "dilations")?.[axis] ?? 1;
    const kernel = intsOf(node, "kernel_shape")?.[axis] ?? w[axis + 2];
    if (auto.startsWith("SAME")) return product([extent, stride]) ?? site.unknown(axis + 2);
    if (typeof kernel !== "number") return site.unknown(axis + 2);
    const pads = auto === "VALID" ? undefined : intsOf(node, "pads");
    const total = (pads?.[axis] ?? 0) + (pads?.[axis + x.length - 2] ?? 0);
    const more = (intsOf(node, "output_padding")?.[axis] ?? 0) + (kernel - 1) * dilation + 1 -
      total - stride;
    if (typeof extent === "number") return extent * stride + more;
    return more === 0
      ? product([extent, stride]) ?? site.unknown(axis + 2)
      : site.unknown(axis + 2);
  });
  return [known(site.type(0), [x[0], filters, ...spatial])];
};

const pool: ShapeRule = (site) => {
  const x = site.shape(0);
  if (!x) return [known(site.type(0)), known("int64")];
  const kernel = intsOf(site.node, "kernel_shape") ?? site.fail("no attribute kernel_shape");
  spatialRank(site, x, kernel.length + 2);
  const shape = [x[0], x[1], ...extents(site, windowsOf(site.node, x.slice(2)))];
  return [known(site.type(0), shape), known("int64", shape)];
};

const globalPool: ShapeRule = (site) => {
  const x = site.shape(0);
  return [known(site.type(0), x && x.map((dim, axis) => axis < 2 ? dim : 1))];
};

const batchNormalization: ShapeRule = (site) => {
  const x = site.shape(0);
  const scale = site.shape(1);
  const channels = x?.[1];
  if (typeof channels === "number" && typeof scale?.[0] === "number" && scale[0] !== channels) {
    site.fail(`${channels} input channels where the scale has ${scale[0]}`);
  }
  // Further outputs (running statistics in training mode) have the shape of the scale.
  return site.node.outputs.map((_, i) =>
    i === 0 ? known(site.type(0), x) : known(site.type(1), scale)
  );
};

const layerNormalization: ShapeRule = (site) => {
  const x = site.shape(0);
  if (!x) return [known(site.type(0))];
  const from = site.axis(intOf(site.node, "axis", -1), x.length);
  const statistics = x.map((dim, axis) => axis < from ? dim : 1);
  return [known(site.type(0), x), known("float32", statistics), known("float32", statistics)];
};

const resize: ShapeRule = (site) => {
  const x = site.shape(0);
  if (!x) return [known(site.type(0))];
  const upsample = site.node.op === "Upsample" || site.graph.opset < 11;
  const axes = intsOf(site.node, "axes")?.map((axis) => site.axis(axis, x.length)) ??
    x.map((_, axis) => axis);
  const scales = upsample ? site.list("scales", 1) : site.numbers(2);
  const sizes = upsample ? undefined : site.elements(3);
  const shape = [...x];
  axes.forEach((axis, i) => {
    const dim = x[axis];
    const scale = scales?.[i];
    const size = sizes?.[i];
    if (size !== undefined) shape[axis] = size;
    else if (scale === 1) shape[axis] = dim;
    else if (scale !== undefined && typeof dim === "number") shape[axis] = Math.floor(dim * scale);
    else if (scale !== undefined && Number.isInteger(scale)) {
      shape[axis] = product([dim, scale]) ?? site.unknown(axis);
    } else shape[axis] = site.unknown(axis);
  });
  const policy = stringOf(site.node, "keep_aspect_ratio_policy", "stretch");
  if (sizes && policy !== "stretch") {
    const ratios = axes.map((axis, i) => Number(sizes[i]) / Number(x[axis]));
    const ratio = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
    axes.forEach((axis) => {
      const value = Math.floor(ratio * Number(x[axis]) + 0.5);
      shape[axis] = Number.isNaN(value) ? site.unknown(axis) : value;
    });
  }
  return [known(site.type(0), shape)];
};

function blocks(direction: "depth" | "space"): ShapeRule {
  return (site) => {
    const x = site.shape(0);
    if (!x) return [known(site.type(0))];
    spatialRank(site, x, 4);
    const block = intOf(site.node, "blocksize", 1);
    const channels = x[1];
    const apart = (dim: Dim, by: number, axis: number): Dim => {
      if (typeof dim !== "number") return site.unknown(axis);
      if (dim % by !== 0) site.fail(`extent ${dim} of axis ${axis} is not a multiple of ${by}`);
      return dim / by;
    };
    const times = (dim: Dim, by: number, axis: number) => product([dim, by]) ?? site.unknown(axis);
    return [
      known(
        site.type(0),
        direction === "depth"
          ? [
            x[0],
            apart(channels, block * block, 1),
            times(x[2], block, 2),
            times(x[3], block, 3),
          ]
          : [
            x[0],
            times(channels, block * block, 1),
            apart(x[2], block, 2),
            apart(x[3], block, 3),
          ],
      ),
    ];
  };
}

/** Rules of operations on images. */
export const SPATIAL: ShapeRules = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool,
  AveragePool: pool,
  LpPool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  GlobalLpPool: globalPool,
  BatchNormalization: batchNormalization,
  InstanceNormalization: asFirst,
  GroupNormalization: asFirst,
  MeanVarianceNormalization: asFirst,
  RMSNormalization: asFirst,
  LayerNormalization: layerNormalization,
  LRN: asFirst,
  LpNormalization: asFirst,
  Resize: resize,
  Upsample: resize,
  DepthToSpace: blocks("depth"),
  SpaceToDepth: blocks("space"),
};
