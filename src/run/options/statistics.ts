/**
 * Options of the statistics over a finished run.
 *
 * @module
 */

import { EVIDENCE_NAMES } from "../../association/evidence/names.ts";
import { CORRECTION_BY_NAME } from "../../association/stats_settings.ts";
import { number, oneOf, someOf, text } from "./kinds.ts";
import { type OptionRow, rows } from "./row.ts";

/** What all of them share. */
const STATS = {
  commands: ["stats"],
  group: "Statistics and claims",
  decides: "results",
} as const satisfies Partial<OptionRow>;

/** Options of the statistics over a finished run. */
export const STATISTICS_OPTIONS = rows(
  {
    ...STATS,
    name: "alpha",
    value: number("rate", { min: 0, max: 1 }),
    default: 0.05,
    help: "rate of false claims that is allowed",
    noun: "rate of false claims",
  },
  {
    ...STATS,
    name: "correction",
    value: oneOf("name", Object.keys(CORRECTION_BY_NAME) as (keyof typeof CORRECTION_BY_NAME)[]),
    default: "bh",
    help: "correction for many cells: bh (Benjamini–Hochberg), by (Benjamini–Yekutieli) or holm",
    noun: "correction for many cells",
  },
  {
    ...STATS,
    name: "block",
    value: text("column"),
    help:
      "column of the corpus whose values are the units of p, such as the source of near-duplicates; by default each image is one",
    noun: "units of the p values",
  },
  {
    ...STATS,
    name: "evidence",
    value: someOf("kinds", EVIDENCE_NAMES),
    help: "kinds of evidence that can take a claim away, separated by commas; by default all",
    noun: "kinds of evidence",
  },
  {
    ...STATS,
    name: "threshold",
    value: number("t", { min: 0, max: 1 }),
    help: "a box is salient when its importance is over this; by default as in the run",
    noun: "salience threshold",
  },
  {
    ...STATS,
    name: "emotionConfidence",
    value: number("p", { min: 0, max: 1 }),
    help: "only samples whose predicted class has a probability over this; by default all",
    noun: "least probability of the emotion",
  },
  {
    ...STATS,
    name: "objectConfidence",
    value: number("p", { min: 0, max: 1 }),
    help: "only boxes whose confidence is over this; by default all",
    noun: "least confidence of the object",
  },
  {
    ...STATS,
    name: "seed",
    value: number("n", { min: 0, max: 2 ** 32 - 1, integer: true }),
    help: "seed of what is drawn; by default the run's",
    noun: "seed",
  },
  {
    ...STATS,
    name: "expect",
    value: text("file"),
    help:
      "an audit list, CSV with object, class, expect (expected, allowed, forbidden): exit with 1 where the claims do not meet it",
    noun: "audit list",
  },
  {
    name: "out",
    commands: ["stats"],
    group: "Results and where they are kept",
    decides: "how",
    value: text("folder"),
    help: "write the statistics here instead of into the run's own folder",
    noun: "folder of the statistics",
  },
);
