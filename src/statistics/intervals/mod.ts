/**
 * Intervals of a proportion. To add one, write its file here and list it below.
 *
 * @module
 */

import { agrestiCoull } from "./agresti_coull.ts";
import { clopperPearson } from "./clopper_pearson.ts";
import { jeffreys } from "./jeffreys.ts";
import type { ProportionInterval } from "./proportion_interval.ts";
import { wilson } from "./wilson.ts";

/** Every interval of a proportion by name. */
export const PROPORTION_INTERVALS = {
  "wilson": wilson,
  "clopper-pearson": clopperPearson,
  "agresti-coull": agrestiCoull,
  "jeffreys": jeffreys,
} as const satisfies Readonly<Record<string, ProportionInterval>>;
