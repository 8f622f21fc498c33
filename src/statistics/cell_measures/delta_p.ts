import type { TableMeasure } from "../measures/measure.ts";

/**
 * How much more often the class is predicted where the object is salient than where it is not, −1..1; 0 where they are independent. NaN where the object
 * always or never is.
 */
export const deltaP: TableMeasure = {
  name: "delta-p",
  source: "P(class | object) − P(class | no object) = a/(a+b) − c/(c+d), Allan 1980",
  units: "difference of probabilities, −1..1",
  signed: true,
  value: ({ a, b, c, d }) => a / (a + b) - c / (c + d),
};
