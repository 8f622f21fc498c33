import type { Comparison } from "./comparisons/mod.ts";

/** Between what bounds the best model of these RDMs would lie. */
export interface NoiseCeiling {
  /** Mean likeness of each RDM to the mean of the others. */
  readonly lower: number;
  /** Mean likeness of each RDM to the mean of all; for Kendall's tau not a true bound, since the mean rank is not the best there. */
  readonly upper: number;
}

/**
 * The noise ceiling of RDMs that measure one thing, as rsatoolbox's `boot_noise_ceiling`: each is scaled as the comparison has it, then
 * they are averaged (Nili et al. 2014, PLoS Computational Biology 10, e1003553).
 *
 * Both bounds are NaN for fewer than two RDMs, and where an RDM is constant.
 *
 * @throws {RangeError} when the RDMs differ in length
 */
export function noiseCeiling(
  rdms: readonly ArrayLike<number>[],
  comparison: Comparison,
): NoiseCeiling {
  const odd = rdms.find(({ length }) => length !== rdms[0].length);
  if (odd) {
    throw new RangeError(
      `Cannot average RDMs of unequal length: ${rdms[0].length} and ${odd.length} pairs`,
    );
  }
  if (rdms.length < 2) return { lower: NaN, upper: NaN };
  const all = rdms.map((rdm) => comparison.scaled(rdm));
  const sum = all[0].map((_, at) => all.reduce((total, rdm) => total + rdm[at], 0));
  const mean = (likeness: (rdm: ArrayLike<number>, at: number) => number) =>
    rdms.reduce((total, rdm, at) => total + likeness(rdm, at), 0) / rdms.length;
  // Where the scale has mean 0, the tool adds a constant, to which the correlations that use it are blind. So is every comparison to a factor.
  return {
    upper: mean((rdm) => comparison.value(sum, rdm)),
    lower: mean((rdm, left) =>
      comparison.value(sum.map((total, at) => total - all[left][at]), rdm)
    ),
  };
}
