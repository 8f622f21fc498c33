/**
 * The paired test by sign flips: differences of pairs whose two members could have been exchanged.
 *
 * @module
 */

import type { Rng } from "../base/rng.ts";

/** Up to this many differences all sign flips are taken. */
const ALL = 16;
/** Differences of sums up to this part of the sum of sizes are ties. */
const TIE = 1e-12;

/** How the flips are taken, where there are too many for all. */
interface Draws {
  readonly draws: number;
  readonly rng: Rng;
}

/**
 * The one-sided p of a sum of differences: how often it is at least as large when the sign of each difference is chosen by chance. All 2^n
 * choices where there are at most 16 differences, otherwise (hits + 1) / (draws + 1).
 *
 * @returns 0..1; 1 without any difference
 */
export function signFlipP(differences: ArrayLike<number>, { draws, rng }: Draws): number {
  const n = differences.length;
  let observed = 0, sizes = 0;
  for (let i = 0; i < n; i++) {
    observed += differences[i];
    sizes += Math.abs(differences[i]);
  }
  const limit = observed - TIE * sizes;
  if (n <= ALL) {
    let hits = 0;
    for (let flips = 0; flips < 2 ** n; flips++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += flips >> i & 1 ? -differences[i] : differences[i];
      if (sum >= limit) hits++;
    }
    return hits / 2 ** n;
  }
  let hits = 0;
  for (let draw = 0; draw < draws; draw++) {
    let sum = 0, bits = 0;
    for (let i = 0; i < n; i++) {
      if (i % 32 === 0) bits = rng.bits();
      sum += bits >>> (i % 32) & 1 ? -differences[i] : differences[i];
    }
    if (sum >= limit) hits++;
  }
  return (hits + 1) / (draws + 1);
}
