import { type Distance, summed } from "./distance.ts";

/** Euclidean distance, in the units of the matrix. */
export const euclidean: Distance = {
  name: "euclidean",
  source: "√Σ(x−y)², scipy's pdist",
  between: (x, y) => Math.sqrt(summed(x, y, (a, b) => (a - b) ** 2)),
};
