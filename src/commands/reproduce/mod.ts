/**
 * The command `reproduce`.
 *
 * @module
 */

import { Command } from "commander";
import { addOptions } from "../options/table.ts";

/** Defines `reproduce`. */
export function reproduceCommand(exit: (status: number) => void): Command {
  return addOptions(
    new Command("reproduce")
      .description(
        "run an analysis again from its run.json and say whether, where and why it differs " +
          "(exit status 0: the same, 3: drifted, 4: inputs are missing)",
      )
      .argument("[run]", "folder of a run, or its run.json"),
    "reproduce",
  )
    .action(async (run: string | undefined, options) => {
      const { runReproduce } = await import("./run.ts");
      exit(await runReproduce(run, options));
    });
}
