/**
 * The command `check`.
 *
 * @module
 */

import { Command } from "commander";
import { addOptions } from "../options/table.ts";

/** Defines `check`. */
export function checkCommand(exit: (status: number) => void): Command {
  return addOptions(
    new Command("check")
      .description(
        "whether each method satisfies its axioms on a model: completeness, gradients, mirror, backends …",
      )
      .argument("[path...]", "images to check on; by default the photographs that ship"),
    "check",
  )
    .action(async (paths: string[], options) => {
      const { runCheck } = await import("./run.ts");
      exit(await runCheck(paths, { ...options, boxMean: "exact" }));
    });
}
