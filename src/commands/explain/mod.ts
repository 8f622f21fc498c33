/**
 * The command `explain`.
 *
 * @module
 */

import { Command } from "commander";
import { addOptions } from "../options/table.ts";

/** Defines `explain`. */
export function explainCommand(exit: (status: number) => void): Command {
  return addOptions(
    new Command("explain")
      .description(
        "predictions, box importances and overlays of single images, or maps of ready input tensors",
      )
      .argument(
        "<image...>",
        "images, folders or globs; or .npy tensors [N, C, H, W], float32, as the network takes them",
      ),
    "explain",
  )
    .action(async (paths: string[], options) => {
      const { runExplain } = await import("./run.ts");
      exit(await runExplain(paths, options));
    });
}
