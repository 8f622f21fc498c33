/**
 * The command `explain`.
 *
 * @module
 */

import { Command } from "commander";
import { explainOptions } from "../options/explain.ts";
import { single } from "../options/parsers.ts";

/** Defines `explain`. */
export function explainCommand(exit: (status: number) => void): Command {
  return explainOptions(
    new Command("explain")
      .description(
        "predictions, box importances and overlays of single images, or maps of ready input tensors",
      )
      .argument(
        "<image...>",
        "images, folders or globs; or .npy tensors [N, C, H, W], float32, as the network takes them",
      ),
  )
    .option("--out <folder>", "where the overlays go", "runs/explain")
    .option("--json", "print JSON")
    .option(
      "--maps <folder>",
      "write METHOD.npy (raw maps) and METHOD.final.npy (as scored, at input size)",
    )
    .action(async (paths: string[], options) => {
      const { runExplain } = await import("./run.ts");
      const classifier = single("--classifier", options.classifier);
      const detector = single("--detector", options.detector);
      exit(await runExplain(paths, { ...options, classifier, detector }));
    });
}
