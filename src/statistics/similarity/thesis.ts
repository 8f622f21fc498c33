/**
 * The five measures that the thesis writes by hand, mistakes included: to reproduce its figures, not to measure anything.
 *
 * Its authors mark three of them "doesn't work". In dice and cosine a similarity is handed to `pdist` as if it were a distance, so that
 * 1 − it is a dissimilarity. "Rajski" is not Rajski's distance, which is of information; it is not symmetric either, and is taken from
 * the earlier to the later column.
 *
 * @module
 */

import type { CountedSimilarity } from "./similarity.ts";

/** The five, in the thesis's order. */
export const THESIS: readonly CountedSimilarity[] = [
  {
    name: "thesis-smc",
    title: "Simple matching coefficient (thesis)",
    source: "m / n",
    distance: ({ b, c, n }) => (b + c) / n,
  },
  {
    name: "thesis-dice",
    title: "Dice (thesis)",
    source: "2a / (2a + m), 0 where both are empty: the similarity instead of the distance",
    distance: ({ a, b, c }) => 2 * a + b + c === 0 ? 0 : 2 * a / (2 * a + b + c),
  },
  {
    name: "thesis-cosine",
    title: "Cosine (thesis)",
    source:
      "[a > 0] / √((a+b)(a+c)), 0 where one is empty: the similarity instead of the distance, " +
      "and numpy's dot product of booleans, which is a boolean",
    distance: ({ a, b, c }) => a > 0 ? 1 / Math.sqrt((a + b) * (a + c)) : 0,
  },
  {
    name: "thesis-jaccard",
    title: "Jaccard (thesis)",
    source: "m / (a + m), 0 where both are empty: scipy's jaccard",
    distance: ({ a, b, c }) => b + c === 0 ? 0 : (b + c) / (a + b + c),
  },
  {
    name: "thesis-rajski",
    title: "Rajski (thesis)",
    source: "b / (a + b), 0 where u is empty; u the earlier column",
    distance: ({ a, b }) => a + b === 0 ? 0 : b / (a + b),
  },
];
