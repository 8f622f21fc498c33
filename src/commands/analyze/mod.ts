/**
 * The command `analyze`.
 *
 * @module
 */

import { Command, Option } from "commander";
import { explainOptions } from "../options/explain.ts";
import { number, oneOf, several } from "../options/parsers.ts";
import { paperOptions, refusePaperOptions } from "../options/paper.ts";
import { applyPreset, PRESETS } from "../options/presets.ts";

const NO_CORPORA: readonly string[] = [];

/** Defines `analyze`. */
export function analyzeCommand(exit: (status: number) => void): Command {
  return paperOptions(explainOptions(
    new Command("analyze")
      .description("which objects drive a classifier's predictions, over a corpus of images")
      .argument(
        "[path...]",
        "images, folders, globs, or a CSV with a path column; by default the photographs that ship",
      ),
  ))
    .addOption(
      new Option("--preset <name>", "option values that belong together: paper")
        .argParser(oneOf("--preset", PRESETS)),
    )
    .addOption(
      new Option(
        "--corpus <name=path>",
        "a named corpus, several times: each is analysed by itself",
      )
        .argParser(several(NO_CORPORA)),
    )
    .addOption(
      new Option(
        "--labels <rule>",
        "folders: an image's first sub-folder is its annotation `label`",
      )
        .argParser(oneOf("--labels", ["folders"])),
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
    .addOption(
      new Option("--cache <folder>", "keep and find results in a ledger that runs share")
        .env("EMOCAM_CACHE"),
    )
    .addOption(
      new Option("--cache-limit <MiB>", "largest size of the cache; what is oldest goes first")
        .default(4096).argParser(number("--cache-limit", { min: 0 })),
    )
    .action(async (paths: string[], options, command: Command) => {
      if (options.preset === undefined) refusePaperOptions(command);
      else applyPreset(command, options);
      const { runProduct } = await import("./product.ts");
      exit(await runProduct(paths, options));
    });
}
