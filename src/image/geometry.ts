/**
 * Rectangles and axis-aligned affine maps between pixel frames.
 *
 * Coordinates are continuous: the left edge of pixel 0 is 0, its centre is 0.5, and an image of width `w` spans [0, w].
 *
 * @module
 */

import type { Size } from "./image.ts";

/** A rectangle [x0, x1] × [y0, y1] in continuous pixel coordinates; empty when x1 <= x0 or y1 <= y0. */
export interface Rect {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** u = scale * x + offset. */
export interface Affine1 {
  readonly scale: number;
  readonly offset: number;
}

/**
 * An affine map of each axis by itself.
 *
 * Between a classifier's input and a low-resolution map it takes a continuous input-pixel coordinate to a cell coordinate in which
 * the centre of cell i is u = i: {@link halfPixelPlacement}, or, for a receptive field, scale = 1/stride and
 * offset = -(c0 + 0.5)/stride with c0 the centre of cell 0 as a pixel index. Between two images (a photo and its letterboxed
 * copy) both sides are continuous pixel coordinates.
 */
export interface Placement {
  readonly x: Affine1;
  readonly y: Affine1;
}

/** A rectangle from its top left corner and its size. */
export function rectOfSize(x: number, y: number, width: number, height: number): Rect {
  return { x0: x, y0: y, x1: x + width, y1: y + height };
}

/** The whole of a frame of this size. */
export function frameOf(size: Size): Rect {
  return { x0: 0, y0: 0, x1: size.width, y1: size.height };
}

/** Whether a rectangle holds no area; true also when a corner is NaN. */
export function isEmpty(rect: Rect): boolean {
  return !(rect.x1 > rect.x0 && rect.y1 > rect.y0);
}

/** Area in square pixels; 0 for an empty rectangle, NaN where a corner is NaN. */
export function area(rect: Rect): number {
  return Math.max(0, rect.x1 - rect.x0) * Math.max(0, rect.y1 - rect.y0);
}

/** The common part of two rectangles; empty (see {@link isEmpty}) when they do not overlap. */
export function intersect(a: Rect, b: Rect): Rect {
  return {
    x0: Math.max(a.x0, b.x0),
    y0: Math.max(a.y0, b.y0),
    x1: Math.min(a.x1, b.x1),
    y1: Math.min(a.y1, b.y1),
  };
}

/** The smallest rectangle that holds both. */
export function union(a: Rect, b: Rect): Rect {
  return {
    x0: Math.min(a.x0, b.x0),
    y0: Math.min(a.y0, b.y0),
    x1: Math.max(a.x1, b.x1),
    y1: Math.max(a.y1, b.y1),
  };
}

/** Intersection over union (Jaccard index) of the two areas, 0…1; 0 when both are empty. */
export function iou(a: Rect, b: Rect): number {
  const common = area(intersect(a, b));
  const either = area(a) + area(b) - common;
  return either > 0 ? common / either : 0;
}

/** Smallest rectangle with whole-number corners that holds this one. */
export function roundOut(rect: Rect): Rect {
  return {
    x0: Math.floor(rect.x0),
    y0: Math.floor(rect.y0),
    x1: Math.ceil(rect.x1),
    y1: Math.ceil(rect.y1),
  };
}

/** `map` at `value`. */
function applyAffine(map: Affine1, value: number): number {
  return map.scale * value + map.offset;
}

/** First `inner`, then `outer`, as one map. */
function composeAffine(outer: Affine1, inner: Affine1): Affine1 {
  return {
    scale: outer.scale * inner.scale,
    offset: outer.scale * inner.offset + outer.offset,
  };
}

/** The map back. @throws {RangeError} when the scale is 0 or not finite: there is none. */
export function invertAffine(map: Affine1): Affine1 {
  if (!(Number.isFinite(map.scale) && map.scale !== 0)) {
    throw new RangeError(`Cannot invert an affine map of scale ${map.scale}; it must not be 0`);
  }
  // `0 -` keeps the offset of a map without one at +0.
  return { scale: 1 / map.scale, offset: 0 - map.offset / map.scale };
}

/** First `inner`, then `outer`, on both axes. */
export function composePlacement(outer: Placement, inner: Placement): Placement {
  return { x: composeAffine(outer.x, inner.x), y: composeAffine(outer.y, inner.y) };
}

/** The map back on both axes. @throws {RangeError} as {@link invertAffine}. */
export function invertPlacement(placement: Placement): Placement {
  return { x: invertAffine(placement.x), y: invertAffine(placement.y) };
}

/** A point through a placement. */
export function placePoint(placement: Placement, x: number, y: number): [x: number, y: number] {
  return [applyAffine(placement.x, x), applyAffine(placement.y, y)];
}

/** A rectangle through a placement; a mirrored axis (negative scale) keeps x0 <= x1. */
export function placeRect(placement: Placement, rect: Rect): Rect {
  const [xa, ya] = placePoint(placement, rect.x0, rect.y0);
  const [xb, yb] = placePoint(placement, rect.x1, rect.y1);
  return placement.x.scale >= 0 && placement.y.scale >= 0 ? { x0: xa, y0: ya, x1: xb, y1: yb } : {
    x0: Math.min(xa, xb),
    y0: Math.min(ya, yb),
    x1: Math.max(xa, xb),
    y1: Math.max(ya, yb),
  };
}

/**
 * How a map of `mapWidth` × `mapHeight` cells lies over an input when both span the same area: the half-pixel convention of
 * OpenCV's `resize` and of `align_corners=False`. u = x * mapWidth / inputWidth - 0.5.
 */
export function halfPixelPlacement(
  mapWidth: number,
  mapHeight: number,
  inputWidth: number,
  inputHeight: number,
): Placement {
  return {
    x: { scale: mapWidth / inputWidth, offset: -0.5 },
    y: { scale: mapHeight / inputHeight, offset: -0.5 },
  };
}

/** The placement that takes rectangle `from` onto the frame [0, width] × [0, height]: the crop's own pixels. */
export function cropPlacement(from: Rect, width: number, height: number): Placement {
  const x = width / (from.x1 - from.x0), y = height / (from.y1 - from.y0);
  return { x: { scale: x, offset: 0 - from.x0 * x }, y: { scale: y, offset: 0 - from.y0 * y } };
}
