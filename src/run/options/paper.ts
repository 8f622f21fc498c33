/**
 * Options of the paper's analyses.
 *
 * @module
 */

import { list, number, toggle } from "./kinds.ts";
import { type Condition, type OptionRow, rows } from "./row.ts";

const WITH_PRESET: Condition = {
  says: "with --preset paper",
  preset: "paper",
  because: "only the paper's analyses have it",
  holds: ({ preset }) => preset === "paper",
};

/** What all of them share. */
const PAPER = {
  commands: ["analyze"],
  group: "The paper's analyses (with --preset paper)",
  decides: "results",
  when: WITH_PRESET,
} as const satisfies Partial<OptionRow>;

/** Options of the paper's analyses, in each of which the published code's values are the default. */
export const PAPER_OPTIONS = rows(
  {
    ...PAPER,
    name: "emotionConfidence",
    value: number("p", { min: 0, max: 1 }),
    default: 0.5,
    help: "the predicted class counts above this probability",
    noun: "least probability of the emotion",
  },
  {
    ...PAPER,
    name: "objectConfidence",
    value: number("p", { min: 0, max: 1 }),
    default: 0.1,
    help: "boxes count above this detector confidence",
    noun: "least confidence of the object",
  },
  {
    ...PAPER,
    name: "ambiguity",
    value: number("a", { min: 0 }),
    default: 3,
    help: "annotations count below this ambiguity",
    noun: "ambiguity of annotations",
  },
  {
    ...PAPER,
    name: "similarity",
    value: list("names"),
    default: ["dice"],
    help: "similarity measures, separated by commas, or all",
    noun: "similarity measures",
  },
  {
    ...PAPER,
    name: "objects",
    value: list("names"),
    help:
      "objects, separated by commas, or all; by default the paper's 24, if the detector knows one",
    noun: "objects of the paper's tables",
  },
  {
    ...PAPER,
    name: "leastShare",
    value: number("f", { min: 0, max: 1 }),
    help: "objects that make up at most this share of the rows are left out",
    noun: "least share of an object",
  },
  {
    ...PAPER,
    name: "corrected",
    value: toggle(),
    help: "without the published code's defects in counting",
    noun: "counting without the published code's defects",
  },
  {
    ...PAPER,
    name: "referenceColumns",
    value: toggle(),
    help: "the published code's column names, and its two tables",
    noun: "names of the published code",
  },
);
