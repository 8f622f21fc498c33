import { normalQuantile } from "../distributions.ts";
import type { ProportionInterval } from "./proportion_interval.ts";

/** Wilson's score interval: the proportions that a normal test with their own variance does not reject. The one to take unless coverage must be guaranteed. */
export const wilson: ProportionInterval = {
  name: "wilson",
  source: "Wilson 1927, J. Am. Stat. Assoc. 22, 209–212",
  interval(count, n, confidence = .95) {
    const z = normalQuantile((1 + confidence) / 2), square = z * z;
    const centre = (count + square / 2) / (n + square);
    const reach = z / (n + square) * Math.sqrt(count * (n - count) / n + square / 4);
    // Exactly the ends of the range, which rounding would miss by 1e-17.
    return [count === 0 && n > 0 ? 0 : centre - reach, count === n && n > 0 ? 1 : centre + reach];
  },
};
