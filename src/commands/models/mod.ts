/**
 * The command `models`.
 *
 * @module
 */

import { Command } from "commander";
import { modelsFetchCommand } from "./fetch.ts";
import { modelsImportCommand } from "./import.ts";

/** Defines `models` and the commands below it. */
export function modelsCommand(exit: (status: number) => void): Command {
  const models = new Command("models").description(
    "list, inspect, import and fetch models",
  );
  models.command("list")
    .description(
      "shipped models and yours: task, classes, licence, and whether their file is present",
    )
    .option("--json", "print JSON")
    .action(async (options: { json?: boolean }) => {
      const { listModels } = await import("./inspect.ts");
      exit(await listModels(options));
    });
  models.command("inspect")
    .description(
      "inputs, outputs, operators, possible target layers, operators without a backward rule",
    )
    .argument("<file>", "an ONNX file, or the name or path of a model card")
    .option("--json", "print JSON")
    .action(async (file: string, options: { json?: boolean }) => {
      const { inspectModel } = await import("./inspect.ts");
      exit(await inspectModel(file, options));
    });
  models.addCommand(modelsFetchCommand(exit));
  models.addCommand(modelsImportCommand(exit));
  return models;
}
