/**
 * The command `report`.
 *
 * @module
 */

import { Command } from "commander";
import { addOptions } from "../options/table.ts";

/** Defines `report`. */
export function reportCommand(exit: (status: number) => void): Command {
  return addOptions(
    new Command("report")
      .description("write the report and all tables of a finished run again; needs no model")
      .argument("<run>", "folder of a run, as analyze left it"),
    "report",
  )
    .action(async (run: string, options) => {
      const { runReport } = await import("./run.ts");
      exit(await runReport(run, options));
    });
}
