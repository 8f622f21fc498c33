/**
 * The command `stats`.
 *
 * @module
 */

import { Command } from "commander";
import { addOptions } from "../options/table.ts";

/** Defines `stats`. */
export function statsCommand(exit: (status: number) => void): Command {
  return addOptions(
    new Command("stats")
      .description("which associations of a finished run are claims; needs no model")
      .argument("<run>", "folder of a run, as analyze left it"),
    "stats",
  )
    .action(async (run: string, options) => {
      const { runStats } = await import("./run.ts");
      exit(await runStats(run, options));
    });
}
