/**
 * What is said of an option in the table of options.
 *
 * @module
 */

import type { Kind } from "./kinds.ts";

/** The commands that take their options from the table. */
export type CommandName =
  | "analyze"
  | "explain"
  | "check"
  | "detect"
  | "stats"
  | "report"
  | "reproduce";

/** Headings under which `--help` and the documents list options, in this order. */
export const GROUPS = [
  "Images and models",
  "Maps",
  "Boxes",
  "Statistics and claims",
  "The paper's analyses (with --preset paper)",
  "Results and where they are kept",
  "How it is computed",
] as const;
export type Group = typeof GROUPS[number];

/** Names of presets: option values that belong together. */
export const PRESETS = ["paper"] as const;
export type Preset = typeof PRESETS[number];

/** What of a run decides whether an option has an effect in it. */
export interface RunFacts {
  readonly preset?: string | undefined;
  /** Whether a method draws random numbers. */
  readonly random: boolean;
}

/** One option of one or several commands. */
export interface OptionRow<T = unknown> {
  /** Its name in the program and in `run.json`; on the command line `boxMean` is `--box-mean`. */
  readonly name: string;
  readonly commands: readonly CommandName[];
  readonly group: Group;
  readonly value: Kind<T>;
  /** The value where none is given; absent where that means something else than any value. */
  readonly default?: T;
  /** What `--help` says. */
  readonly help: string;
  /** A few words for what it sets: in causes of drift, and among the settings in a report. */
  readonly noun: string;
  /**
   * What it decides: the results (then it is a setting in the manifest), which images there are (which the manifest lists), or only
   * how results are made and kept.
   */
  readonly decides: "results" | "images" | "how";
  /** When it has an effect; always, where this is absent. */
  readonly when?: Condition;
  /** Commands in which it may be given several times, a value each. */
  readonly several?: readonly CommandName[];
  /** Its value under presets. What is given on the command line takes precedence. */
  readonly presets?: Readonly<Partial<Record<Preset, T>>>;
  /** `used`: its value under presets is taken only by what can use it, such as a detector that has profiles. */
  readonly presetWhere?: "used";
  /** Whether a command that makes the run again is without it. */
  readonly onlyOnce?: boolean;
  /** Its value where `reproduce` makes a run again for its tables alone. */
  readonly repeated?: T;
  /** The variable of the environment that gives it where the command line does not. */
  readonly env?: string;
}

/** When an option has an effect. */
export interface Condition {
  /** In words that follow "only". */
  readonly says: string;
  /** The preset without which it cannot be given, and why. */
  readonly preset?: Preset;
  readonly because?: string;
  /** Whether it has an effect in a run; absent where a run in which it has none refuses it. */
  holds?(facts: RunFacts): boolean;
}

/** Rows with the types of their values and names. */
export function rows<const T extends readonly OptionRow[]>(...rows: T): T {
  return rows;
}
