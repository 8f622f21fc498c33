/**
 * The command `reproduce`.
 *
 * @module
 */

import { Command, Option } from "commander";
import { DEFAULT_TOLERANCE } from "../../reproduction/drift.ts";
import { number, several } from "../options/parsers.ts";

const NOTHING_SET: readonly string[] = [];

/** Defines `reproduce`. */
export function reproduceCommand(exit: (status: number) => void): Command {
  return new Command("reproduce")
    .description(
      "run an analysis again from its run.json, and tell whether, where and why it differs " +
        "(exit status 0: the same, 3: drifted, 4: inputs are missing)",
    )
    .argument("[run]", "folder of a run, or its run.json")
    .option(
      "--images <folder>",
      "the images of the run, by their paths in it, where they have moved",
    )
    .addOption(
      new Option(
        "--tolerance <f>",
        `differences up to this count as the same (default: ${DEFAULT_TOLERANCE})`,
      ).argParser(number("--tolerance", { min: 0 })),
    )
    .option("--out <folder>", "where the reports go; given, the repeated run is kept there as well")
    .addOption(
      new Option("--set <option=value>", "another option of analyze, several times: backend=wasm …")
        .argParser(several(NOTHING_SET)),
    )
    .option("--list <file>", "check all runs of a list (reproduce.json), and keep a history")
    .action(async (run: string | undefined, options) => {
      const { runReproduce } = await import("./run.ts");
      exit(await runReproduce(run, options));
    });
}
