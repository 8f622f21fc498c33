/**
 * Corrections for many tests. To add one, write its file here and list it below.
 *
 * @module
 */

import { benjaminiHochberg } from "./benjamini_hochberg.ts";
import { benjaminiYekutieli } from "./benjamini_yekutieli.ts";
import { bonferroni } from "./bonferroni.ts";
import type { Correction } from "./correction.ts";
import { hochberg } from "./hochberg.ts";
import { holm } from "./holm.ts";

export type { Correction } from "./correction.ts";

/** Every correction by name. */
export const CORRECTIONS = {
  "benjamini-hochberg": benjaminiHochberg,
  "benjamini-yekutieli": benjaminiYekutieli,
  "bonferroni": bonferroni,
  "holm": holm,
  "hochberg": hochberg,
} as const satisfies Readonly<Record<string, Correction>>;
