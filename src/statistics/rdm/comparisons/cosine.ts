import { byRms, type Comparison, cosineOf } from "./comparison.ts";

/** Cosine of the angle between two RDMs. */
export const cosine: Comparison = {
  name: "cosine",
  source: "Σxy / √(Σx² Σy²), rsatoolbox's cosine",
  value: (x, y) => cosineOf(x, y),
  scaled: byRms,
};
