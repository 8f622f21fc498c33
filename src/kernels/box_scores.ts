/**
 * From activations and channel weights, or raw maps, to importances of boxes and to final maps: the kernels in their order,
 * cut into parts where a batch is larger than a buffer may be.
 *
 * A raw map R (after its ReLU, if the method has one) is min-max normalised, sampled bilinearly at the centres of the
 * classifier's input pixels under a placement (U), and min-max normalised again: the final map F. With ε = 1e-7 both times
 * this is pytorch-grad-cam's order, and F = (U − min U) / (max U − min U + ε (ε + max R − min R)) in terms of the samples of
 * R itself. A constant map gives 0, a map with a NaN or an infinity gives NaN, everywhere.
 *
 * @module
 */

import type { Compute, ComputeBuffer } from "../gpu/compute.ts";
import { frameOf, intersect, isEmpty, type Placement, type Rect } from "../image/geometry.ts";
import { boxIntegral } from "./box_integral.ts";
import { boxPixels } from "./box_pixels.ts";
import { boxWeights } from "./box_weights.ts";
import { channelSum } from "./channel_sum.ts";
import { minMax } from "./min_max.ts";
import { normalise } from "./normalise.ts";
import type { CellWeights } from "./paper_box_weights.ts";
import { upsampleBilinear } from "./upsample_bilinear.ts";

const EPSILON = 1e-7;
/** Full-size maps that exist at a time, in floats: 64 MiB. */
const FULL_SIZE_BUDGET = 2 ** 24;

/** Maps of height × width cells, all of one method and batch. */
export interface MapBatch {
  /** Number of maps M. */
  readonly maps: number;
  readonly height: number;
  readonly width: number;
  /** Whether max(·, 0) is taken of the raw maps. */
  readonly rectify: boolean;
  /** Whether the maps are final already, 0..1: they are sampled, but not scaled. */
  readonly normalised?: boolean;
  /**
   * Where they come from: ready [M, height, width], or weighted sums of an activation [M / perImage, channels, height, width]
   * with weights [M, channels], `perImage` maps (1 if left out) of each image in a row. Buffers stay the caller's.
   */
  readonly from: { readonly ready: Float32Array | ComputeBuffer } | {
    readonly activation: Float32Array | ComputeBuffer;
    readonly channels: number;
    readonly weights: Float32Array | ComputeBuffer;
    readonly perImage?: number;
  };
}

/** The classifier's input, in pixels, and where a map's cells lie on it. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly placement: Placement;
}

/** A box to score on one map. */
export interface ScoreBox {
  /** Index of the map, 0 … M − 1. */
  readonly map: number;
  /** In pixels of the classifier's input; what lies outside of it does not count. */
  readonly rect: Rect;
  /** The weights of the map's cells in the box's mean, where they do not follow from `rect`; `null`: it has none. */
  readonly weights?: CellWeights | null;
}

/** The raw maps themselves, [M, height, width]: weighted sums, rectified if asked, neither normalised nor upsampled. */
export async function rawMaps(compute: Compute, batch: MapBatch): Promise<Float32Array> {
  const cells = batch.height * batch.width;
  const result = new Float32Array(batch.maps * cells);
  await inParts(compute, batch, cells, async (raw, { first }) => {
    result.set(await compute.read(raw), first * cells);
  });
  return result;
}

/**
 * The final maps F, [M, frame height, frame width], 0 … 1.
 *
 * @throws {RangeError} when sizes do not fit each other.
 */
export async function finalMaps(
  compute: Compute,
  batch: MapBatch,
  frame: Frame,
): Promise<Float32Array> {
  checkFrame(frame);
  const size = frame.width * frame.height;
  const result = new Float32Array(batch.maps * size);
  await inParts(compute, batch, size, async (raw, { first, count }) => {
    const { scaled, extremes } = scaleMaps(compute, batch, frame, count, raw);
    const full = compute.alloc(count * size);
    const final = compute.alloc(count * size);
    compute.run(upsampleBilinear, sampling(batch, frame, count), [scaled, full]);
    compute.run(normalise, { maps: count, size, epsilon: EPSILON }, [full, extremes, final]);
    try {
      result.set(await compute.read(final), first * size);
    } finally {
      compute.free(scaled, extremes, full, final);
    }
  });
  return result;
}

/**
 * The importance of each box: the mean of its map's final map F over the box, which is (mean U − min U) / (max U − min U + ε …)
 * because normalisation is affine.
 *
 * `exact` integrates the continuous interpolant over the real-valued box, cut to the frame, by separable weights on the raw map;
 * no full-size map exists. F's extremes are those of its pixels, so a box narrower than a pixel can pass 0 or 1 by less than
 * the change from one pixel to the next. `pixels` is the mean over the pixels int(x0) … int(x1) − 1 by int(y0) … int(y1) − 1
 * of the full-size map, rounded towards zero and cut to the frame.
 *
 * A box without area (or without a pixel) in the frame gives NaN; so does one with a NaN corner, or on a map with a NaN. What
 * comes back from the device is one float a box and two a map. Boxes that share their `rect` object share its weights. A box that
 * brings `weights` (under `exact`) is scored by them.
 *
 * @throws {RangeError} when sizes do not fit each other or a box names a map that is not there.
 */
export async function scoreMaps(
  compute: Compute,
  batch: MapBatch,
  frame: Frame,
  boxes: readonly ScoreBox[],
  mean: "exact" | "pixels",
): Promise<Float32Array> {
  checkFrame(frame);
  // The boxes that have a share in the frame, by map; the others stay NaN.
  const importances = new Float32Array(boxes.length).fill(NaN);
  const byMap = new Map<number, number[]>();
  boxes.forEach(({ map, rect, weights }, i) => {
    if (!(Number.isInteger(map) && map >= 0 && map < batch.maps)) {
      throw new RangeError(`Cannot score a box on map ${map}: there are ${batch.maps} maps`);
    }
    if (weights === undefined ? isEmpty(intersect(rect, frameOf(frame))) : weights === null) return;
    const list = byMap.get(map);
    if (list) list.push(i);
    else byMap.set(map, [i]);
  });
  // A box needs up to four numbers, or one for each row and column of a map.
  const atOnce = Math.floor(compute.maxLength / Math.max(4, batch.height, batch.width));
  const perMap = mean === "pixels" ? frame.width * frame.height : batch.height * batch.width;
  await inParts(compute, batch, perMap, async (raw, { first, count }) => {
    const chosen: number[] = [];
    for (let map = first; map < first + count; map++) chosen.push(...byMap.get(map) ?? []);
    if (chosen.length === 0) return;
    const { scaled, extremes } = scaleMaps(compute, batch, frame, count, raw);
    let values = scaled;
    if (mean === "pixels") {
      values = compute.alloc(count * perMap);
      compute.run(upsampleBilinear, sampling(batch, frame, count), [scaled, values]);
    }
    try {
      for (let start = 0; start < chosen.length; start += atOnce) {
        const some = chosen.slice(start, start + atOnce);
        const local = some.map((i) => ({ ...boxes[i], map: boxes[i].map - first }));
        const [limits, means] = await Promise.all([
          compute.read(extremes),
          mean === "pixels"
            ? pixelMeans(compute, frame, count, values, local)
            : integralMeans(compute, batch, frame, count, values, local),
        ]);
        some.forEach((i, k) => {
          const [low, high] = limits.subarray(2 * local[k].map);
          const mass = boxes[i].weights?.mass ?? 1;
          importances[i] = (means[k] - mass * low) / (high - low + EPSILON);
        });
      }
    } finally {
      compute.free(scaled, extremes, values);
    }
  });
  return importances;
}

/** Some of a batch's maps. */
interface Part {
  readonly first: number;
  readonly count: number;
}

/**
 * Gives `work` the raw maps of a batch, in parts such that no buffer is longer than the device takes: whole images, or maps of one
 * image. `perMap` is the longest buffer that `work` makes for each map.
 */
async function inParts(
  compute: Compute,
  { maps, height, width, rectify, from }: MapBatch,
  perMap: number,
  work: (raw: ComputeBuffer, part: Part) => Promise<void>,
): Promise<void> {
  const cells = height * width;
  // A ready map is the weighted sum of one channel with weight 1: the same kernel rectifies it.
  const { activation, channels, perImage = 1, weights } = "ready" in from
    ? { activation: from.ready, channels: 1, weights: new Float32Array(maps).fill(1) }
    : from;
  if (maps === 0) return;
  if (!(cells > 0) || maps % perImage !== 0) {
    throw new RangeError(
      `Cannot use ${maps} maps of ${height} × ${width} cells, ${perImage} an image`,
    );
  }
  const { maxLength } = compute;
  const budget = perMap > cells ? Math.min(maxLength, FULL_SIZE_BUDGET) : maxLength;
  const mapsAtOnce = Math.max(Math.floor(budget / Math.max(perMap, cells, channels, 2)), 1);
  const imagesAtOnce = Math.min(
    Math.floor(mapsAtOnce / perImage),
    Math.floor(maxLength / (channels * cells)),
  );
  const size = channels * cells;
  let count: number;
  for (let first = 0; first < maps; first += count) {
    const image = Math.floor(first / perImage);
    const end = Math.min(image + Math.max(imagesAtOnce, 1), maps / perImage);
    count = end * perImage - first;
    if (imagesAtOnce === 0) count = Math.min(count, mapsAtOnce);
    const input = part(compute, activation, image * size, end * size);
    const factors = part(compute, weights, first * channels, (first + count) * channels);
    const raw = compute.alloc(count * cells);
    try {
      compute.run(channelSum, {
        maps: count,
        perImage: imagesAtOnce > 0 ? perImage : count,
        channels,
        cells,
        rectify: rectify ? 1 : 0,
      }, [input, factors, raw]);
      await work(raw, { first, count });
    } finally {
      compute.free(input, factors, raw);
    }
  }
}

function part(
  compute: Compute,
  whole: Float32Array | ComputeBuffer,
  from: number,
  to: number,
): ComputeBuffer {
  return whole instanceof Float32Array
    ? compute.upload(whole.subarray(from, to))
    : compute.slice(whole, from, to);
}

/**
 * The maps after their first normalisation, and the extremes of their samples on the frame's pixels; for maps that are final
 * already the maps themselves, and extremes that scale nothing.
 */
function scaleMaps(
  compute: Compute,
  { height, width, normalised }: MapBatch,
  frame: Frame,
  maps: number,
  raw: ComputeBuffer,
): { scaled: ComputeBuffer; extremes: ComputeBuffer } {
  const size = height * width;
  const scaled = compute.alloc(maps * size);
  if (normalised) {
    const unit = Float32Array.from({ length: 2 * maps }, (_, i) => i % 2 === 0 ? 0 : 1 - EPSILON);
    const extremes = compute.upload(unit);
    compute.run(normalise, { maps, size, epsilon: EPSILON }, [raw, extremes, scaled]);
    return { scaled, extremes };
  }
  const own = compute.alloc(2 * maps);
  const extremes = compute.alloc(2 * maps);
  const cells = { scaleY: 1, offsetY: -0.5, scaleX: 1, offsetX: -0.5 };
  compute.run(minMax, { maps, height, width, outHeight: height, outWidth: width, ...cells }, [
    raw,
    own,
  ]);
  compute.run(normalise, { maps, size, epsilon: EPSILON }, [raw, own, scaled]);
  compute.run(minMax, sampling({ height, width }, frame, maps), [scaled, extremes]);
  compute.free(own);
  return { scaled, extremes };
}

/** Parameters of the kernels that sample maps on a frame's pixels. */
function sampling(
  { height, width }: { readonly height: number; readonly width: number },
  { height: outHeight, width: outWidth, placement: { x, y } }: Frame,
  maps: number,
) {
  const placed = { scaleY: y.scale, offsetY: y.offset, scaleX: x.scale, offsetX: x.offset };
  return { maps, height, width, outHeight, outWidth, ...placed };
}

async function integralMeans(
  compute: Compute,
  { height, width }: MapBatch,
  frame: Frame,
  maps: number,
  values: ComputeBuffer,
  chosen: readonly ScoreBox[],
): Promise<Float32Array> {
  const { numbers, pairs } = pairUp(chosen);
  const rows = new Float32Array(numbers.size * height);
  const columns = new Float32Array(numbers.size * width);
  for (const [{ rect, weights }, k] of numbers) {
    const { x0, y0, x1, y1 } = intersect(rect, frameOf(frame));
    rows.set(weights?.rows ?? boxWeights(y0, y1, height, frame.placement.y), k * height);
    columns.set(weights?.columns ?? boxWeights(x0, x1, width, frame.placement.x), k * width);
  }
  const inputs = [compute.upload(rows), compute.upload(columns), compute.upload(pairs)] as const;
  const means = compute.alloc(chosen.length);
  const params = { maps, boxes: numbers.size, pairs: chosen.length, height, width };
  compute.run(boxIntegral, params, [values, ...inputs, means]);
  try {
    return await compute.read(means);
  } finally {
    compute.free(...inputs, means);
  }
}

async function pixelMeans(
  compute: Compute,
  { height, width }: Frame,
  maps: number,
  values: ComputeBuffer,
  chosen: readonly ScoreBox[],
): Promise<Float32Array> {
  const { numbers, pairs } = pairUp(chosen);
  const corners = new Int32Array(numbers.size * 4);
  // Cut to the frame before they are rounded, since a corner far outside need not fit into 32 bits.
  const whole = (value: number, end: number) => Math.trunc(Math.min(Math.max(value, 0), end));
  for (const [{ rect: { x0, y0, x1, y1 } }, k] of numbers) {
    const cut = [whole(x0, width), whole(y0, height), whole(x1, width), whole(y1, height)];
    corners.set(cut, k * 4);
  }
  const inputs = [compute.upload(corners), compute.upload(pairs)] as const;
  const means = compute.alloc(chosen.length);
  const params = { maps, boxes: numbers.size, pairs: chosen.length, height, width };
  compute.run(boxPixels, params, [values, ...inputs, means]);
  try {
    return await compute.read(means);
  } finally {
    compute.free(...inputs, means);
  }
}

/** Numbers the boxes with distinct rectangles, and lists (map, number of the box) for each. */
function pairUp(
  chosen: readonly ScoreBox[],
): { numbers: Map<ScoreBox, number>; pairs: Uint32Array } {
  const numbers = new Map<ScoreBox, number>();
  const known = new Map<Rect, number>();
  const pairs = new Uint32Array(chosen.length * 2);
  chosen.forEach((box, i) => {
    let number = known.get(box.rect);
    if (number === undefined) {
      known.set(box.rect, number = numbers.size);
      numbers.set(box, number);
    }
    pairs.set([box.map, number], 2 * i);
  });
  return { numbers, pairs };
}

function checkFrame({ width, height, placement: { x, y } }: Frame): void {
  const usable = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0 &&
    [x, y].every(({ scale, offset }) => Number.isFinite(scale + offset) && scale !== 0);
  if (!usable) {
    throw new RangeError(
      `Cannot place maps on a frame of ${width} × ${height} pixels with scales ${x.scale}, ${y.scale} and ` +
        `offsets ${x.offset}, ${y.offset}; give whole sizes over 0, finite offsets and scales other than 0`,
    );
  }
}
