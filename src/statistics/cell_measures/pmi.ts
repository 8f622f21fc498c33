import type { TableMeasure } from "../measures/measure.ts";
import { lift } from "./lift.ts";

/**
 * Pointwise mutual information: the logarithm of {@linkcode lift}, −Infinity..ln n; 0 where object and class are independent, −Infinity where they
 * are never together. NaN where one of them never happens.
 */
export const pmi: TableMeasure = {
  name: "pmi",
  source: "ln (P(object, class) / (P(object) P(class))), Church & Hanks 1990",
  units: "nats",
  signed: true,
  value(cell) {
    const { a, b, c, d } = cell, times = lift.value(cell);
    // lift − 1 = (ad − bc) / ((a+b)(a+c)), which keeps its digits near independence.
    return times > .5 && times < 2
      ? Math.log1p((a * d - b * c) / ((a + b) * (a + c)))
      : Math.log(times);
  },
};
