/**
 * Colour scales, all from d3-scale-chromatic and all safe for the common forms of colour blindness: viridis for quantities that
 * start at 0, ColorBrewer's red–blue (red is positive) for quantities with a neutral 0, plasma for maps over photographs.
 *
 * @module
 */

import { nice, ticks } from "d3-array";
import { rgb } from "d3-color";
import { interpolatePlasma, interpolateRdBu, interpolateViridis } from "d3-scale-chromatic";

/** A scale from values to colours. */
export interface ColourScale {
  readonly kind: "sequential" | "diverging";
  /** Values outside are drawn in the colour of the nearer end. */
  readonly domain: readonly [number, number];
  /** `#rrggbb` of a value; NaN has no colour here and gives the grey of a missing cell. */
  colour(value: number): string;
  /** Round values to label. */
  ticks(count: number): number[];
}

/** Fill and hatching of a cell without a value. */
export const MISSING = { fill: "#d9d9d9", line: "#8c8c8c" } as const;

/** Opacity of a map at value 1; at 0 it is transparent, between them linear. */
export const MAP_OPACITY = 0.85;

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Viridis from 0 to a round number not below `maximum` (which must be over 0; else 1 is taken). */
export function sequentialScale(maximum: number): ColourScale {
  return scale("sequential", [0, nice(0, maximum > 0 ? maximum : 1, 5)[1]], interpolateViridis);
}

/** Blue–white–red, centred on 0, to a round number not below `limit` on both sides (over 0; else 1 is taken). */
export function divergingScale(limit: number): ColourScale {
  const end = nice(0, limit > 0 ? limit : 1, 5)[1];
  return scale("diverging", [-end, end], (t) => interpolateRdBu(1 - t));
}

function scale(
  kind: ColourScale["kind"],
  domain: readonly [number, number],
  interpolate: (t: number) => string,
): ColourScale {
  const [low, high] = domain;
  return {
    kind,
    domain,
    colour(value) {
      if (Number.isNaN(value)) return MISSING.fill;
      return rgb(interpolate((clamp(value, low, high) - low) / (high - low))).formatHex();
    },
    ticks: (count) => ticks(low, high, count),
  };
}

/**
 * The scale for these values: diverging where they are of a signed quantity or one of them is negative, else sequential from 0. Its end is the largest finite magnitude, rounded up; give the values of all matrices that are to be compared.
 */
export function scaleFor(signed: boolean, values: Iterable<number>): ColourScale {
  let limit = 0, negative = false;
  for (const value of values) {
    if (value < 0) negative = true;
    if (Number.isFinite(value)) limit = Math.max(limit, Math.abs(value));
  }
  return negative || signed ? divergingScale(limit) : sequentialScale(limit);
}

/** Black or white, whichever has the higher contrast (WCAG 2) on this colour. */
export function inkOn(colour: string): "#000000" | "#ffffff" {
  const { r, g, b } = rgb(colour);
  const linear = (channel: number) => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  return luminance > 0.179 ? "#000000" : "#ffffff";
}

/** Colour and opacity of a map's value: plasma, the more opaque the higher. NaN is fully transparent; values are clamped to 0..1. */
export function mapColour(value: number): { r: number; g: number; b: number; opacity: number } {
  if (Number.isNaN(value)) return { r: 0, g: 0, b: 0, opacity: 0 };
  const t = clamp(value, 0, 1);
  const { r, g, b } = rgb(interpolatePlasma(t));
  return { r, g, b, opacity: MAP_OPACITY * t };
}
