/**
 * The command `analyze`.
 *
 * @module
 */

import { Command } from "commander";
import { addOptions, withPreset } from "../options/table.ts";

/** Defines `analyze`. */
export function analyzeCommand(exit: (status: number) => void): Command {
  return addOptions(
    new Command("analyze")
      .description("which objects drive a classifier's predictions, over a corpus of images")
      .argument(
        "[path...]",
        "images, folders, globs, or a CSV with a path column; by default the photographs that ship",
      ),
    "analyze",
  )
    .action(async (paths: string[], options, command: Command) => {
      const resolved = withPreset(command, options);
      const { runAnalyze } = await import("./run.ts");
      exit(await runAnalyze(paths, resolved));
    });
}
