import { betaQuantile } from "../distributions.ts";
import type { ProportionInterval } from "./proportion_interval.ts";

/** Clopper and Pearson's interval: the proportions that neither one-sided exact binomial test rejects. It covers at least as often as it says, mostly more. */
export const clopperPearson: ProportionInterval = {
  name: "clopper-pearson",
  source: "Clopper & Pearson 1934, Biometrika 26, 404–413, by quantiles of the beta distribution",
  interval(count, n, confidence = .95) {
    if (!(n > 0)) return [NaN, NaN];
    const outside = (1 - confidence) / 2;
    return [
      count === 0 ? 0 : betaQuantile(outside, count, n - count + 1),
      count === n ? 1 : betaQuantile(1 - outside, count + 1, n - count),
    ];
  },
};
