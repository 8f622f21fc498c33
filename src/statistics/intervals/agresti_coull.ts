import { normalQuantile } from "../distributions.ts";
import type { ProportionInterval } from "./proportion_interval.ts";

/** Agresti and Coull's interval: Wald's after z²/2 successes and as many failures are added, cut at 0 and 1. */
export const agrestiCoull: ProportionInterval = {
  name: "agresti-coull",
  source: "Agresti & Coull 1998, Am. Stat. 52, 119–126",
  interval(count, n, confidence = .95) {
    if (!(n > 0)) return [NaN, NaN];
    const z = normalQuantile((1 + confidence) / 2), trials = n + z * z;
    const centre = (count + z * z / 2) / trials;
    const reach = z * Math.sqrt(centre * (1 - centre) / trials);
    return [Math.max(0, centre - reach), Math.min(1, centre + reach)];
  },
};
