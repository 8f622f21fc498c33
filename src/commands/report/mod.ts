/**
 * The command `report`.
 *
 * @module
 */

import { Command } from "commander";

/** Defines `report`. */
export function reportCommand(exit: (status: number) => void): Command {
  return new Command("report")
    .description("write the report and all tables of a finished run again; needs no model")
    .argument("<run>", "folder of a run, as analyze left it")
    .option("--out <folder>", "write them here instead of into the run's own folder")
    .action(async (run: string, options: { out?: string }) => {
      const { runReport } = await import("./run.ts");
      exit(await runReport(run, options));
    });
}
