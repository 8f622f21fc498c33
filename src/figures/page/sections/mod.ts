/**
 * The sections of the report. To add one, write its file here and list it below.
 *
 * @module
 */

import { agreement } from "./agreement.ts";
import { associations } from "./associations.ts";
import { axioms } from "./axioms.ts";
import { cite } from "./cite.ts";
import { failures } from "./failures.ts";
import { matrices } from "./matrices.ts";
import { models } from "./models.ts";
import { run } from "./run.ts";
import { samples } from "./samples.ts";

import type { Section } from "./section.ts";

export type { Section };

/** All sections, in the order of the page. */
export const SECTIONS: readonly Section[] = [
  associations,
  matrices,
  agreement,
  samples,
  axioms,
  run,
  models,
  failures,
  cite,
];
