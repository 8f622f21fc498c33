import { type Distance, summed } from "./distance.ts";

/** City-block distance. */
export const cityblock: Distance = {
  name: "cityblock",
  source: "Σ|x−y|, scipy's pdist",
  between: (x, y) => summed(x, y, (a, b) => Math.abs(a - b)),
};
