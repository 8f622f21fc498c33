import type { TableMeasure } from "../measures/measure.ts";
import { pmi } from "./pmi.ts";

/**
 * Normalised pointwise mutual information, −1..1: 1 where object and class are always together, 0 where they are independent, −1 where they are never
 * together. The convention of the literature on label bias (Aka et al. 2021, AIES). **Depends on base rates**: rare pairs reach
 * large values by chance, so show it beside phi only.
 *
 * NaN where one of them never happens, or both always (0/0).
 */
export const npmi: TableMeasure = {
  name: "npmi",
  source: "pmi / −ln P(object, class), Bouma 2009; Aka et al. 2021",
  units: "nPMI, −1..1, depends on base rates",
  signed: true,
  value(cell) {
    const information = pmi.value(cell);
    // The limit for rare pairs.
    return information === -Infinity ? -1 : information / -Math.log(cell.a / cell.n);
  },
};
