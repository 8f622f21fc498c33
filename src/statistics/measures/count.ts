import type { Measure } from "./measure.ts";

/** The number of samples in which the object is salient and the class predicted: a, 0 … n. Never NaN. */
export const count: Measure = {
  name: "count",
  source: "a of the 2×2 table",
  units: "samples",
  signed: false,
  value: ({ a }) => a,
};
