/**
 * The table of options of the commands that detect, explain, analyse, test, check and reproduce. Their parsers, `--help`, presets, the settings
 * in a manifest, the causes of drift and `docs/options.md` are made from it: an option is added by its row here.
 *
 * @module
 */

import { MAP_OPTIONS } from "./maps.ts";
import { MODEL_OPTIONS } from "./models.ts";
import { PAPER_OPTIONS } from "./paper.ts";
import { REPRODUCE_OPTIONS } from "./reproduce.ts";
import { RESULT_OPTIONS } from "./results.ts";
import { STATISTICS_OPTIONS } from "./statistics.ts";
import type { CommandName, OptionRow } from "./row.ts";

export { DEFAULT_TOLERANCE } from "./reproduce.ts";
export {
  type CommandName,
  GROUPS,
  type OptionRow,
  type Preset,
  PRESETS,
  type RunFacts,
} from "./row.ts";

/** All options, by group in the order of `--help`. */
export const OPTIONS = [
  ...MODEL_OPTIONS,
  ...MAP_OPTIONS,
  ...STATISTICS_OPTIONS,
  ...PAPER_OPTIONS,
  ...RESULT_OPTIONS,
  ...REPRODUCE_OPTIONS,
] as const;

/** A table of options; `OPTIONS`, but in tests of what is made from it. */
export type OptionTable = readonly OptionRow[];

type Row = typeof OPTIONS[number];
type RowOf<C extends CommandName> = Row extends infer R extends Row
  ? R extends { readonly commands: infer N extends readonly CommandName[] }
    ? C extends N[number] ? R : never
  : never
  : never;
type Single<R extends Row> = R extends { readonly value: { parse(...args: never): infer T } } ? T
  : never;
type ValueIn<R extends Row, C extends CommandName> = R extends
  { readonly several: infer N extends readonly CommandName[] }
  ? C extends N[number] ? readonly Single<R>[] : Single<R>
  : Single<R>;
type WithDefault<R extends Row> = R extends { readonly default: unknown } ? R : never;

/** The values of a command's options as its parser gives them. */
export type ParsedOptions<C extends CommandName> =
  & { readonly [R in WithDefault<RowOf<C>> as R["name"]]: ValueIn<R, C> }
  & {
    readonly [R in Exclude<RowOf<C>, WithDefault<RowOf<C>>> as R["name"]]?: ValueIn<R, C>;
  };

/** The options of one run of `analyze`: with one classifier, one detector and one corpus of those that the command line may name. */
export type AnalyzeOptions =
  & Omit<ParsedOptions<"analyze">, "classifier" | "detector" | "corpus">
  & Pick<ParsedOptions<"explain">, "classifier" | "detector">;

/** The options that all commands which explain share, and by which models are opened. */
export type ExplainOptions =
  & Omit<ParsedOptions<"check">, "cascade" | "json" | "out" | "seed">
  & Pick<AnalyzeOptions, "boxMean" | "preset">;

/** The rows of a command's options, in the order of the table. */
export function optionsOf(command: CommandName, table: OptionTable = OPTIONS): OptionRow[] {
  return table.filter(({ commands }) => commands.includes(command));
}

/** What `--help` and the documents say of an option: what it does, when only, and whether it may be given several times. */
export function helpOf({ help, when, several, group }: OptionRow, command?: CommandName): string {
  // A group's heading says what is true of all in it.
  const only = when === undefined || group.includes(when.says) ? "" : `; only ${when.says}`;
  const times = several === undefined || command !== undefined && !several.includes(command)
    ? ""
    : command === undefined
    ? `; several times in ${several.join(", ")}`
    : "; can be given several times";
  return help + only + times;
}

/**
 * A few words for what an option sets.
 *
 * @returns nothing for a name that is not in the table, as in a manifest of another version.
 */
export function nounOf(name: string, table: OptionTable = OPTIONS): string | undefined {
  return table.find((row) => row.name === name)?.noun;
}
