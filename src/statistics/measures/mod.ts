/**
 * Statistics: functions on plain arrays and counts.
 *
 * @module
 */

import { count } from "./count.ts";
import { dice } from "./dice.ts";
import { meanImportance } from "./mean_importance.ts";
import type { Measure } from "./measure.ts";
import { phi } from "./phi.ts";

export type { Cell, Measure } from "./measure.ts";

/** Every association measure by name. */
export const MEASURES = {
  "count": count,
  "mean-importance": meanImportance,
  "dice": dice,
  "phi": phi,
} as const satisfies Readonly<Record<string, Measure>>;
