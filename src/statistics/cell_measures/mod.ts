/**
 * Measures of one cell from its 2×2 table alone, which are columns of one table rather than matrices of their own. Counts may be weighted, so need not
 * be whole. To add one, write its file here and list it below.
 *
 * @module
 */

import type { TableMeasure } from "../measures/measure.ts";
import { phi } from "../measures/phi.ts";
import { adjustedResidual } from "./adjusted_residual.ts";
import { deltaP } from "./delta_p.ts";
import { lift } from "./lift.ts";
import { logOdds } from "./log_odds.ts";
import { npmi } from "./npmi.ts";
import { pmi } from "./pmi.ts";

/** Every measure of a cell by name. */
export const CELL_MEASURES = {
  "phi": phi,
  "lift": lift,
  "pmi": pmi,
  "npmi": npmi,
  "adjusted-residual": adjustedResidual,
  "log-odds": logOdds,
  "delta-p": deltaP,
} as const satisfies Readonly<Record<string, TableMeasure>>;
