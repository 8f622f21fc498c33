/**
 * What the axes of a tensor are made of: batch, channels, and the rows and columns of the picture.
 *
 * An axis is a product of factors, the first of which changes slowest, as in row-major order. Cutting a picture into windows, gathering its
 * cells into a list of tokens and putting them together again only splits, moves and joins factors, so that rows and columns are found again
 * wherever a network has taken them.
 *
 * @module
 */

import { product, quotient } from "./dims.ts";
import type { Dim, Shape } from "./graph.ts";

/** Rows or columns of the picture's grid of cells: index i is row (or column) `stride` · i of `whole`, up to an offset. */
interface Place {
  readonly of: "y" | "x";
  readonly extent: number;
  readonly stride: number;
  readonly whole: number;
  /** Whether it is only taken for such, because a window slides over it. */
  readonly assumed?: true;
}

/** All cells of a grid as a list, with others before or after them that are no cells (class token, registers). */
interface Tokens {
  readonly of: "tokens";
  readonly extent: number;
  /** How many come before the cells. */
  readonly before: number;
  readonly cells: Axis;
}

/** One factor of an axis. "channels" is whatever is neither batch nor place. */
export type Factor = { readonly of: "batch" | "channels"; readonly extent: Dim } | Place | Tokens;

/** The factors of an axis; none for an extent of 1. */
export type Axis = readonly Factor[];

/** The axes of a tensor. */
export type Axes = readonly Axis[];

/** An axis of channels. */
export function channels(extent: Dim): Axis {
  return extent === 1 ? [] : [{ of: "channels", extent }];
}

/** All rows, or columns, of a grid; `assumed` where they are only taken for such. */
export function line(of: "y" | "x", extent: number, assumed = false): Axis {
  return [{ of, extent, stride: 1, whole: extent, ...(assumed ? { assumed } : {}) }];
}

/** Whether rows or columns of a tensor are only taken for such. */
export function isAssumed(axes: Axes): boolean {
  const assumed = (factor: Factor): boolean =>
    factor.of === "tokens"
      ? factor.cells.some(assumed)
      : (factor.of === "y" || factor.of === "x") && factor.assumed === true;
  return axes.some((axis) => axis.some(assumed));
}

/** Neighbouring factors joined where they are one. */
function joined(axis: Axis): Axis {
  const result: Factor[] = [];
  for (const factor of axis) {
    const last = result.at(-1);
    const one = last && together(last, factor);
    if (one) result.splice(-1, 1, one);
    else result.push(factor);
  }
  return result;
}

function together(a: Factor, b: Factor): Factor | undefined {
  if (a.of === "channels" && b.of === "channels") {
    const extent = product([a.extent, b.extent]);
    return extent === undefined ? undefined : { of: "channels", extent };
  }
  if ((a.of === "y" || a.of === "x") && a.of === b.of) {
    const contiguous = a.whole === b.whole && a.stride === b.extent * b.stride;
    return contiguous ? { ...b, extent: a.extent * b.extent } : undefined;
  }
  return undefined;
}

/** A factor as an outer one of this extent and the inner rest; `undefined` where it cannot be split so. */
function split(factor: Factor, outer: number): [Factor, Factor] | undefined {
  const { extent } = factor;
  if (factor.of === "tokens" || typeof extent !== "number" || extent % outer !== 0) {
    return undefined;
  }
  const inner = extent / outer;
  return factor.of === "y" || factor.of === "x"
    ? [{ ...factor, extent: outer, stride: factor.stride * inner }, { ...factor, extent: inner }]
    : [{ ...factor, extent: outer }, { ...factor, extent: inner }];
}

/** The axes after a reshape; `undefined` where an extent takes parts of factors that do not divide each other. */
export function reshaped(axes: Axes, to: Shape): Axes | undefined {
  const left = axes.flat().filter(({ extent }) => extent !== 1);
  const result: Axis[] = [];
  for (const dim of to) {
    const axis: Factor[] = [];
    let rest: Dim = dim;
    while (rest !== 1) {
      const factor = left.shift();
      if (!factor) return undefined;
      const over = quotient(rest, factor.extent);
      if (over !== undefined) {
        axis.push(factor);
        rest = over;
        continue;
      }
      const parts = typeof rest === "number" ? split(factor, rest) : undefined;
      if (!parts) return undefined;
      axis.push(parts[0]);
      left.unshift(parts[1]);
      rest = 1;
    }
    result.push(joined(axis));
  }
  return left.length === 0 ? result : undefined;
}

/**
 * Axes [N, C, h, w] of which both rows and columns are divided further: by a shuffle of channels to pixels, or by repeating them. They are
 * the rows and columns of a finer grid then. Other axes stay as they are.
 */
export function refined(axes: Axes): Axes {
  if (axes.length !== 4) return axes;
  const fine = (axis: Axis, of: "y" | "x"): Axis | undefined => {
    const [first, second] = axis;
    const divided = axis.length === 2 && second.of === "channels" && isLine([first], of);
    return divided
      ? line(of, Number(first.extent) * Number(second.extent), isAssumed([axis]))
      : undefined;
  };
  const [y, x] = [fine(axes[2], "y"), fine(axes[3], "x")];
  return y && x ? [axes[0], axes[1], y, x] : axes;
}

/** Whether a factor tells a place on the picture. */
export function isPlace({ of }: Factor): boolean {
  return of === "y" || of === "x" || of === "tokens";
}

/** Whether any axis tells a place on the picture. */
export function hasPlaces(axes: Axes): boolean {
  return axes.some((axis) => axis.some(isPlace));
}

/** Whether an axis is all rows ("y") or all columns ("x") of a grid, in their order. */
export function isLine(axis: Axis | undefined, of: "y" | "x"): boolean {
  const [factor] = axis ?? [];
  return axis?.length === 1 && factor?.of === of && factor.extent * factor.stride === factor.whole;
}

/** Whether an axis is a list of all cells of a grid, in whatever order, or of tokens with all cells among them. */
export function isList(axis: Axis | undefined): boolean {
  if (!axis || axis.length === 0) return false;
  if (axis.length === 1 && axis[0].of === "tokens") return true;
  return (["y", "x"] as const).every((of) => {
    const lines = axis.filter((factor): factor is Place => factor.of === of);
    const extent = lines.reduce((a, factor) => a * factor.extent, 1);
    const stride = Math.min(...lines.map((factor) => factor.stride));
    return lines.length > 0 && extent * stride === lines[0].whole;
  }) && axis.every(isPlace);
}

/** Whether two axes of the same extent have the same factors. The offsets and strides of whole lines do not matter. */
function same(a: Axis, b: Axis): boolean {
  const wholes = (["y", "x"] as const).some((of) => isLine(a, of) && isLine(b, of));
  return wholes || JSON.stringify(a) === JSON.stringify(b);
}

/** One axis of a tensor that two others are combined to: what tells places counts; `undefined` where they contradict each other. */
export function combined(a: Axis, b: Axis): Axis | undefined {
  if (same(a, b)) return a;
  const [first, second] = [a.some(isPlace), b.some(isPlace)];
  if (first && second) return undefined;
  return second ? b : a;
}

/** How the values of a tensor lie on the picture. */
export type Arrangement =
  /** [N, C, h, w] */
  | "channels-first"
  /** [N, C, w, h] */
  | "exchanged"
  /** [N, h, w, C] */
  | "channels-last"
  /** [N, T, C], [T, N, C] and so on, with one token for each cell, and perhaps some more */
  | "tokens"
  /** Windows of the picture, or something else, are samples of a batch. */
  | "batched"
  /** An axis of a tensor [N, …, …, …] goes over all cells: attention weights, or groups of channels. */
  | "listed"
  | "other";

/** Whether an axis can be one of channels. What a merging of patches has moved into it are places within one cell. */
function isChannels(axis: Axis): boolean {
  const whole = isList(axis) || isLine(axis, "y") || isLine(axis, "x");
  return axis.length > 0 && !whole && axis.every(({ of }) => of !== "batch");
}

/** Whether three axes are samples, tokens and channels, in whatever order. */
function isTokens(axes: Axes): boolean {
  const samples = (axis: Axis) => axis.every(({ of }) => of === "batch");
  const lists = axes.filter(isList), others = axes.filter((axis) => !isList(axis));
  return lists.length === 1 && others.some((axis, i) => samples(axis) && isChannels(others[1 - i]));
}

/** What the axes of a tensor make of it. */
export function arrangement(axes: Axes): Arrangement {
  if (axes.length === 3) return isTokens(axes) ? "tokens" : "other";
  const [batch, a, b, c] = axes;
  if (!batch || !a || !b) return "other";
  if (batch.some(({ of }) => of !== "batch")) return "batched";
  if (axes.slice(1).some((axis) => axis.some(({ of }) => of === "batch"))) return "other";
  if (axes.length !== 4 || !c) return "other";
  if (isLine(b, "y") && isLine(c, "x")) return "channels-first";
  if (isLine(b, "x") && isLine(c, "y")) return "exchanged";
  if (isLine(a, "y") && isLine(b, "x") && isChannels(c)) return "channels-last";
  return [a, b, c].some(isList) ? "listed" : "other";
}
