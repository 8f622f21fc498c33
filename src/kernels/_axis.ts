/**
 * What the twins of the sampling kernels share: bilinear sampling positions along one axis.
 *
 * @module
 */

/** Samples along one axis: sample k is `(1 − fraction[k]) · cell[first[k]] + fraction[k] · cell[second[k]]`. */
interface AxisSamples {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  readonly fraction: Float64Array;
}

/**
 * The samples at the centres of these pixels. Pixel x lies at cell coordinate `scale · (x + 0.5) + offset`, kept within
 * [0, cells − 1], where cell i's centre is i.
 */
export function axisSamples(
  pixels: ArrayLike<number>,
  cells: number,
  scale: number,
  offset: number,
): AxisSamples {
  const first = new Uint32Array(pixels.length);
  const second = new Uint32Array(pixels.length);
  const fraction = new Float64Array(pixels.length);
  for (let k = 0; k < pixels.length; k++) {
    const u = Math.min(Math.max(scale * (pixels[k] + 0.5) + offset, 0), cells - 1);
    first[k] = Math.floor(u);
    second[k] = Math.min(first[k] + 1, cells - 1);
    fraction[k] = u - first[k];
  }
  return { first, second, fraction };
}

/** All pixels 0 … n − 1. */
export function allPixels(n: number): Uint32Array {
  return Uint32Array.from({ length: n }, (_, x) => x);
}
