/**
 * At which salience thresholds a claim would have been found: the published 0.3 is one of many.
 *
 * @module
 */

import { incidenceOf } from "../incidence.ts";
import { testCells } from "../cell_tests.ts";
import type { Evidence } from "./evidence.ts";

/** Thresholds of the curve: 0.05, 0.10 … 0.95. */
const THRESHOLDS: readonly number[] = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);

/**
 * The interval of thresholds around the run's in which the cell passes the test with its correction, in the same direction. Every threshold
 * of the curve is a new set of tests over all cells.
 */
export const threshold: Evidence = {
  name: "threshold",
  source: "the exact test with its correction at the thresholds 0.05, 0.10 … 0.95",
  columns: ["threshold_low", "threshold_high"],
  missing: () => undefined,
  of({ table, settings }, own, candidates) {
    const at = [...new Set([...THRESHOLDS, settings.threshold])].sort((a, b) => a - b);
    const passes = at.map((value) => {
      const tests = value === settings.threshold ? own : testCells(
        own.method,
        incidenceOf(table, own.method, { ...settings, threshold: value }),
        own.units,
        settings,
      );
      return candidates.map(({ cell }) => tests.q[cell] <= settings.alpha ? tests.sign[cell] : 0);
    });
    const here = at.indexOf(settings.threshold);
    return candidates.map((_, i) => {
      const sign = passes[here][i];
      if (sign === 0) return { values: { threshold_low: NaN, threshold_high: NaN } };
      let low = here, high = here;
      while (low > 0 && passes[low - 1][i] === sign) low--;
      while (high < at.length - 1 && passes[high + 1][i] === sign) high++;
      return { values: { threshold_low: at[low], threshold_high: at[high] } };
    });
  },
};
