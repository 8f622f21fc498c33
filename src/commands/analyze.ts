/**
 * The command `analyze`.
 *
 * @module
 */

import { Command, Option } from "commander";
import { explainOptions } from "./explain_options.ts";
import { number } from "./options.ts";

/** Defines `analyze`. */
export function analyzeCommand(exit: (status: number) => void): Command {
  return explainOptions(
    new Command("analyze")
      .description("which objects drive a classifier's predictions, over a corpus of images")
      .argument(
        "[path...]",
        "images, folders, globs, or a CSV with a path column; by default the photographs that ship",
      ),
  )
    .option("--out <folder>", "where results go, and are taken up again", "runs/analysis")
    .option("--fresh", "start again instead of going on with what --out holds")
    .addOption(
      new Option("--limit <n>", "only the first n images, by path")
        .argParser(number("--limit", { min: 1, integer: true })),
    )
    .option("--maps", "also write the raw maps as .npy")
    .option("--check", "check the methods' axioms on this classifier first, and flag what fails")
    .option("--strict", "exit with 1 if any image failed")
    .addOption(
      new Option("--activation-cache <MiB>", "activations kept for methods added later").default(
        1024,
      )
        .argParser(number("--activation-cache", { min: 0 })),
    )
    .action(async (paths: string[], options) => {
      const { runAnalyze } = await import("./analyze_run.ts");
      exit(await runAnalyze(paths, options));
    });
}
