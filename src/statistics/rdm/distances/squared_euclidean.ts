import { type Distance, summed } from "./distance.ts";

/** Squared Euclidean distance. */
export const squaredEuclidean: Distance = {
  name: "squared-euclidean",
  source: "Σ(x−y)², scipy's pdist",
  between: (x, y) => summed(x, y, (a, b) => (a - b) ** 2),
};
