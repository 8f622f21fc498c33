import type { TableMeasure } from "../measures/measure.ts";

/**
 * How many times as often object and class are together as if they were independent, 0..n; 1 where they are. It grows with rarity: a pair that is
 * seen once, together, has lift n. NaN where the object or the class never happens.
 */
export const lift: TableMeasure = {
  name: "lift",
  source: "P(object, class) / (P(object) P(class)) = a n / ((a+b)(a+c))",
  units: "times as often as by chance",
  signed: false,
  value: ({ a, b, c, n }) => a * n / ((a + b) * (a + c)),
};
