/**
 * Options of the paper's analyses, under `--preset paper`.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { UsageError } from "../../base/errors.ts";
import type { PaperOptions } from "../../experiments/paper/options.ts";
import { list, number } from "./parsers.ts";

/** Names of the options, as they are parsed. */
export const PAPER_OPTIONS = [
  "emotionConfidence",
  "objectConfidence",
  "ambiguity",
  "similarity",
  "objects",
  "leastShare",
  "corrected",
  "referenceColumns",
] as const satisfies readonly (keyof PaperOptions)[];

/** Adds the options of the paper's analyses. */
export function paperOptions(command: Command): Command {
  const bound = (flag: string, text: string, most: number, value: number) =>
    new Option(flag, `paper: ${text}`).default(value)
      .argParser(number(flag.split(" ")[0], { min: 0, max: most }));
  return command
    .addOption(
      bound("--emotion-confidence <p>", "the predicted class counts over this probability", 1, 0.5),
    )
    .addOption(
      bound("--object-confidence <p>", "boxes count over this confidence of the detector", 1, 0.1),
    )
    .addOption(
      bound("--ambiguity <a>", "annotations count below this ambiguity", Infinity, 3),
    )
    .addOption(
      new Option("--similarity <names>", "paper: similarity measures, separated by commas, or all")
        .default(["dice"], "dice").argParser(list),
    )
    .addOption(
      new Option(
        "--objects <names>",
        "paper: objects, separated by commas, or all; by default the paper's 24, if the detector knows one",
      ).argParser(list),
    )
    .addOption(
      new Option(
        "--least-share <f>",
        "paper: objects that make up at most this share of the rows are left out",
      ).argParser(number("--least-share", { min: 0, max: 1 })),
    )
    .option("--corrected", "paper: without the published code's defects in counting")
    .option("--reference-columns", "paper: the published code's column names, and its two tables");
}

/**
 * For a run without the paper's analyses.
 *
 * @throws {UsageError} when one of their options was given: nothing would follow it.
 */
export function refusePaperOptions(command: Command): void {
  const given = PAPER_OPTIONS.find((name) => command.getOptionValueSource(name) === "cli");
  if (given === undefined) return;
  throw new UsageError(
    `Cannot use ${flagOf(given)} without --preset paper: only the paper's analyses have it`,
  );
}

/** An option's name on the command line. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
