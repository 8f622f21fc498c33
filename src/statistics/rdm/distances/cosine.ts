import { type Distance, summed } from "./distance.ts";

/** One minus the cosine of the angle between two rows, 0..2; NaN for a row of zeros. */
export const cosine: Distance = {
  name: "cosine",
  source: "1 − Σxy / √(Σx² Σy²), scipy's pdist",
  between(x, y) {
    const product = (a: number, b: number) => a * b;
    return 1 - summed(x, y, product) / Math.sqrt(summed(x, x, product) * summed(y, y, product));
  },
};
