/**
 * Axiom: contributions add up to what they are contributions to.
 *
 * @module
 */

import { type ContributionSum, createContext, type Method } from "../../methods/mod.ts";
import type { Axiom } from "./axiom.ts";

/** Differences of scores below this share of the scores are lost in their rounding: the bound of 1e-4 of it is a bit of float32. */
const LEVEL = 1e-3;

/** |sum − change| / |change|, the change taken to be no smaller than scores can show; 0 where all of it is 0. */
function relativeError({ sum, to, from }: ContributionSum): number {
  const off = Math.abs(sum - (to - from));
  if (off === 0) return 0;
  return off / Math.max(Math.abs(to - from), LEVEL * Math.max(Math.abs(to), Math.abs(from)));
}

/**
 * Largest difference between the sum of a method's contributions and the change of the score they explain, relative to that
 * change (or to a thousandth of the score, if that is more: a smaller change is lost in the score's rounding): for LIFT-CAM and KernelSHAP-CAM (efficiency) y(A) − y(0) at the target layer, for Integrated Gradients y(x) − y(0) at the input, for FullGrad y
 * itself; for LRP-CAM relevance and what was absorbed against y (conservation).
 */
export const completeness: Axiom = {
  name: "completeness",
  source: "contributions add up to the change of the score; largest relative difference",
  bound: { atMost: 1e-4 },
  // Of a method that is not modified.
  applies: ({ base, sums }) => base === undefined && sums !== undefined,
  async check({ classifier, inputs, keys, classes, target, seed }, method: Method) {
    const forward = await classifier.forward(inputs);
    const context = createContext(classifier, forward, target, { seed, keys });
    try {
      const padding = new Array<number>(classifier.batch - classes.length).fill(0);
      const sums = await method.sums!(context, [...classes, ...padding]);
      return { value: Math.max(...sums.map(relativeError)) };
    } finally {
      context.dispose();
      forward.dispose();
    }
  },
};
