import { betaQuantile } from "../distributions.ts";
import type { ProportionInterval } from "./proportion_interval.ts";

/**
 * Jeffreys's interval: the middle of the beta distribution that a count makes of the prior Beta(½, ½). As in statsmodels the ends are not moved to 0 and
 * 1 where nothing or everything happened.
 */
export const jeffreys: ProportionInterval = {
  name: "jeffreys",
  source: "Brown, Cai & DasGupta 2001, Stat. Sci. 16, 101–133",
  interval(count, n, confidence = .95) {
    if (!(n > 0)) return [NaN, NaN];
    const outside = (1 - confidence) / 2, a = count + .5, b = n - count + .5;
    return [betaQuantile(outside, a, b), betaQuantile(1 - outside, a, b)];
  },
};
