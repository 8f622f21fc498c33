/**
 * The command `models import`: one command for each importer.
 *
 * @module
 */

import { Command } from "commander";
import type { Importer } from "../../importers/importer.ts";
import { IMPORTERS } from "../../importers/mod.ts";
import type { ImportOptions } from "./import_options.ts";
import { defined } from "../../base/defined.ts";

/** Defines `models import` and a command below it for each importer. */
export function modelsImportCommand(exit: (status: number) => void): Command {
  const command = new Command("import").description(
    "convert weights from elsewhere into a model of yours: an ONNX file and a card",
  );
  for (const importer of IMPORTERS) command.addCommand(importerCommand(importer, exit));
  return command;
}

function importerCommand(importer: Importer, exit: (status: number) => void): Command {
  const { name, title, called = "after its file", source, files } = importer;
  const command = new Command(name).description(title)
    .option("--name <name>", `name of the model; by default ${called}`)
    .option("--into <folder>", "folder that it is written to; by default your model folder");
  for (const { name, description, required } of files) {
    if (required) command.requiredOption(`--${name} <file>`, description);
    else command.option(`--${name} <file>`, description);
  }
  const run = async (path: string, { name, into, ...paths }: ImportOptions) => {
    const { importModel } = await import("./import_run.ts");
    exit(await importModel(importer, paths, path, defined({ name, into })));
  };
  if (!source) return command.action((options: ImportOptions) => run("", options));
  return command.argument(`<${source.name}>`, source.description).action(run);
}
