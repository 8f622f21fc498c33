import { logOdds as estimate } from "../intervals/log_odds.ts";
import type { TableMeasure } from "../measures/measure.ts";

/**
 * Logarithm of the odds ratio of object and class, ½ added to each of the four counts (always, not only where one is 0), so that it is finite; 0
 * where they are independent. For its interval see `intervals/log_odds.ts`. NaN without samples.
 */
export const logOdds: TableMeasure = {
  name: "log-odds",
  source: "ln ((a+½)(d+½) / ((b+½)(c+½))), Haldane 1956, Anscombe 1956",
  units: "nats",
  signed: true,
  value: estimate,
};
