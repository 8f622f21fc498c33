import type { Affine1 } from "../image/geometry.ts";

/**
 * Weights of a map's cells in the mean of its linear interpolant over [x0, x1], along one axis:
 * w_i = 1 / (x1 − x0) ∫ hat_i(clamp(scale · x + offset, 0, cells − 1)) dx, where hat_i(u) = max(0, 1 − |u − i|). The mean of the
 * bilinear interpolant over a box is then Σ_i Σ_j wy_i wx_j map[i, j].
 *
 * Between neighbouring cells' centres both hats are straight lines, so each piece adds its share of the length times their values
 * at its midpoint: nothing cancels, however small the interval.
 *
 * `x0` ≤ `x1` in pixels, finite; x0 = x1 gives the weights of a sample at that point. The affine map takes pixels to cells,
 * its scale may be negative. The result has `cells` entries, none negative, with sum 1.
 *
 * @throws {RangeError} when `cells` is 0 or a number is not finite.
 */
export function boxWeights(
  x0: number,
  x1: number,
  cells: number,
  { scale, offset }: Affine1,
): Float64Array {
  if (!(cells >= 1) || !Number.isFinite(x0 + x1 + scale + offset)) {
    throw new RangeError(
      `Cannot weigh ${cells} cells over [${x0}, ${x1}] under ${scale} · x + ${offset}: give finite numbers`,
    );
  }
  const weights = new Float64Array(cells);
  const from = Math.min(scale * x0, scale * x1) + offset;
  const to = Math.max(scale * x0, scale * x1) + offset;
  const add = (a: number, b: number) => {
    const share = to > from ? (b - a) / (to - from) : 1;
    const middle = Math.min(Math.max(a + (b - a) / 2, 0), cells - 1);
    const cell = Math.min(Math.floor(middle), Math.max(cells - 2, 0));
    weights[cell] += share * (1 - (middle - cell));
    if (cell + 1 < cells) weights[cell + 1] += share * (middle - cell);
  };
  // Cut at the cells' centres strictly inside; before the first and after the last of them the edge continues.
  let a = from;
  const last = Math.min(Math.ceil(to) - 1, cells - 1);
  for (let centre = Math.max(Math.floor(from) + 1, 0); centre <= last; centre++) {
    add(a, centre);
    a = centre;
  }
  add(a, to);
  return weights;
}
