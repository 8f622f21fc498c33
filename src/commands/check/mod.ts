/**
 * The command `check`.
 *
 * @module
 */

import { Command } from "commander";
import { mapOptions } from "../options/explain.ts";
import { single } from "../options/parsers.ts";

/** Defines `check`. */
export function checkCommand(exit: (status: number) => void): Command {
  return mapOptions(
    new Command("check")
      .description(
        "whether each method keeps its axioms on a model: completeness, gradients, mirror, backends …",
      )
      .argument("[path...]", "images to check on; by default the photographs that ship"),
    "predicted, or for all samples its name or index",
  )
    .option(
      "--cascade",
      "also re-draw the model's parameters layer by layer, and show how the maps change",
    )
    .option(
      "--out <folder>",
      "folder of a run that keeps the verdicts: its report flags the methods that fail when analyze is given again",
    )
    .option("--json", "print JSON")
    .action(async (paths: string[], options) => {
      const { runCheck } = await import("./run.ts");
      const classifier = single("--classifier", options.classifier);
      const detector = single("--detector", options.detector);
      exit(await runCheck(paths, { ...options, boxMean: "exact", classifier, detector }));
    });
}
