/**
 * The command `cache`.
 *
 * @module
 */

import { Command, Option } from "commander";
import { UsageError } from "../../base/errors.ts";
import { number } from "../../run/options/kinds.ts";

const PLACES = "ledgers, or folders with some; by default runs and EMOCAM_CACHE";

/** Defines `cache list` and `cache prune`. */
export function cacheCommand(exit: (status: number) => void): Command {
  const command = new Command("cache")
    .description("what runs keep so that nothing is computed twice");
  command.command("list")
    .description("ledgers with their sizes, by what they hold and when it was last used")
    .argument("[path...]", PLACES)
    .option("--json", "as JSON")
    .action(async (paths: string[], options) => {
      const { listCaches } = await import("./run.ts");
      exit(await listCaches(paths, options));
    });
  command.command("prune")
    .description("drop results that can be computed again; the tables of runs stay")
    .argument("[path...]", PLACES)
    .addOption(
      new Option(
        "--older-than <age>",
        "drop results that no run has used for this long: 30d, 12h, 8w",
      )
        .argParser(age),
    )
    .addOption(
      new Option("--larger-than <MiB>", "shrink each ledger to this size, oldest results first")
        .argParser((text) => number("MiB", { min: 0 }).parse("--larger-than", text)),
    )
    .action(async (paths: string[], options) => {
      const { pruneCaches } = await import("./run.ts");
      exit(await pruneCaches(paths, options));
    });
  return command;
}

const HOURS: Readonly<Record<string, number>> = { h: 1, d: 24, w: 168 };

/** An age in milliseconds. @throws {UsageError} */
export function age(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([hdw])$/.exec(text) ?? [];
  if (count === undefined) {
    throw new UsageError(
      `Cannot use --older-than ${JSON.stringify(text)}: give a number and h, d or w, such as 30d`,
    );
  }
  return Number(count) * HOURS[unit!] * 3_600_000;
}
