/**
 * The command `detect`.
 *
 * @module
 */

import { Command } from "commander";
import { addOptions } from "../options/table.ts";

/** Defines `detect`. */
export function detectCommand(exit: (status: number) => void): Command {
  return addOptions(
    new Command("detect")
      .description("boxes of the objects in images: label, confidence, corners in image pixels")
      .argument("<image...>", "images, folders or globs; or tables (CSV, TSV) with a path column"),
    "detect",
  )
    .action(async (paths: string[], options) => {
      const { runDetect } = await import("./run.ts");
      exit(await runDetect(paths, options));
    });
}
