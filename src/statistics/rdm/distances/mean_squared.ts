import { type Distance, summed } from "./distance.ts";

/** Mean squared difference. */
export const meanSquared: Distance = {
  name: "mean-squared",
  source: "Σ(x−y)² / columns, which rsatoolbox calls euclidean",
  between: (x, y) => summed(x, y, (a, b) => (a - b) ** 2) / x.length,
};
