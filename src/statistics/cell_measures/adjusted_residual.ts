import type { TableMeasure } from "../measures/measure.ts";
import { phi } from "../measures/phi.ts";

/**
 * Adjusted standardised residual: how many standard deviations the count of both lies from what its margins make expected; φ √n. NaN where object or
 * class always or never happens. Near a standard normal only where expected counts are large: its normal p must not carry a claim (Fisher's may).
 */
export const adjustedResidual: TableMeasure = {
  name: "adjusted-residual",
  source: "(a − E) / √(E (1 − (a+b)/n) (1 − (a+c)/n)), E = (a+b)(a+c)/n; Haberman 1973",
  units: "standard deviations",
  signed: true,
  value: (cell) => phi.value(cell) * Math.sqrt(cell.n),
};
