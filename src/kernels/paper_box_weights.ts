/**
 * The paper's mean of a map in a box, as weights on the map's cells.
 *
 * EmoCAM resizes a CAM of the classifier's input to the photograph (OpenCV's bilinear), letterboxes it as the detector's input was
 * (Pillow's bicubic in mode "F", bars of 0), and takes the mean over the frame's pixels int(x0) … int(x1) − 1 by int(y0) …
 * int(y1) − 1. Every step is linear and acts on one axis at a time, so the mean is Σ_i Σ_j wy_i wx_j map[i, j] with weights that
 * follow from the sizes alone: no picture of the map is made, however large the photograph. Normalisation is affine and commutes with
 * it, but for the bars: `mass` says which share of the box is not bar.
 *
 * Departs from the published code, where a corner left of or above the frame is a negative index that counts from the far end: boxes are
 * cut to the frame.
 *
 * @module
 */

import type { Affine1, Rect } from "../image/geometry.ts";
import type { LetterboxGeometry } from "../image/letterbox.ts";
import { pillowTaps } from "../image/pillow.ts";
import type { Size } from "../image/image.ts";

/** Weights of a map's cells in the mean over a box. */
export interface CellWeights {
  /** One a row of cells. */
  readonly rows: Float64Array;
  /** One a column. */
  readonly columns: Float64Array;
  /** Share of the box that shows the map, 0..1: the sum of all weights. */
  readonly mass: number;
}

/** A map's cells, the input they lie on, and the photograph in its frame. */
interface PaperFrame {
  readonly cells: Size;
  /** From the input's pixels to cells. */
  readonly placement: { readonly x: Affine1; readonly y: Affine1 };
  /** Size of the classifier's input. */
  readonly input: Size;
  readonly image: Size;
  readonly letterbox: LetterboxGeometry;
}

/** Corners this close below a whole number are taken for it: they were moved between frames, which rounds. */
const ROUNDING = 1e-9;

/**
 * The weights of boxes in a photograph's letterbox.
 *
 * @returns a function of a box in the frame's pixels; `undefined` where the box has no pixel in the frame.
 */
export function paperBoxWeights(frame: PaperFrame): (rect: Rect) => CellWeights | undefined {
  const { cells, placement, input, image, letterbox } = frame;
  const x = sumsBefore(
    cells.width,
    placement.x,
    input.width,
    image.width,
    letterbox.width,
  );
  const y = sumsBefore(
    cells.height,
    placement.y,
    input.height,
    image.height,
    letterbox.height,
  );
  const { frameWidth, frameHeight, left, top } = letterbox;
  return ({ x0, y0, x1, y1 }) => {
    const [fromX, toX] = [whole(x0, frameWidth), whole(x1, frameWidth)];
    const [fromY, toY] = [whole(y0, frameHeight), whole(y1, frameHeight)];
    if (!(toX > fromX && toY > fromY)) return undefined;
    const columns = meanOver(x, cells.width, fromX - left, toX - left);
    const rows = meanOver(y, cells.height, fromY - top, toY - top);
    const mass = (weights: Float64Array) => weights.reduce((a, b) => a + b, 0);
    return { rows, columns, mass: mass(rows) * mass(columns) };
  };
}

/** int() of a corner, cut to the frame; NaN stays. */
function whole(value: number, end: number): number {
  return Math.trunc(Math.min(Math.max(value + ROUNDING, 0), end));
}

/**
 * Along one axis, for each number of drawn pixels the sum of their weights on the cells, [drawn + 1, cells].
 *
 * @param drawn pixels of the letterbox that show the photograph
 */
function sumsBefore(
  cells: number,
  { scale, offset }: Affine1,
  input: number,
  image: number,
  drawn: number,
): Float64Array {
  // What each pixel of the photograph reads: two input pixels, each of which reads two cells.
  const reads = Array.from({ length: image }, (_, i) => {
    const found: [cell: number, weight: number][] = [];
    for (const [pixel, share] of linear((i + 0.5) * input / image - 0.5, input)) {
      for (const [cell, weight] of linear(scale * (pixel + 0.5) + offset, cells)) {
        found.push([cell, share * weight]);
      }
    }
    return found;
  });
  const sums = new Float64Array((drawn + 1) * cells);
  const { first, count, stride, weights } = pillowTaps(image, drawn, "bicubic");
  for (let j = 0; j < drawn; j++) {
    const row = (j + 1) * cells;
    sums.copyWithin(row, row - cells, row);
    for (let t = 0; t < count[j]; t++) {
      const tap = weights[j * stride + t];
      for (const [cell, weight] of reads[first[j] + t]) sums[row + cell] += tap * weight;
    }
  }
  return sums;
}

/** The two neighbours of a coordinate and their shares; edges continue. */
function linear(at: number, size: number): [index: number, share: number][] {
  const inside = Math.min(Math.max(at, 0), size - 1);
  const low = Math.min(Math.floor(inside), Math.max(size - 2, 0));
  return size === 1 ? [[0, 1]] : [[low, 1 - (inside - low)], [low + 1, inside - low]];
}

/** The mean weights over the pixels [from, to) of which some may lie in the bars. */
function meanOver(sums: Float64Array, cells: number, from: number, to: number): Float64Array {
  const drawn = sums.length / cells - 1;
  const a = Math.min(Math.max(from, 0), drawn), b = Math.min(Math.max(to, 0), drawn);
  return Float64Array.from(
    { length: cells },
    (_, k) => (sums[b * cells + k] - sums[a * cells + k]) / (to - from),
  );
}
