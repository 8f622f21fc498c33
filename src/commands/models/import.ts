/**
 * The command `models import`.
 *
 * @module
 */

import { Command } from "commander";

/** Options that all kinds of import share. */
interface Place {
  readonly name?: string;
  readonly into?: string;
}

/** Defines `models import darknet`, `models import emonet` and `models import onnx`. */
export function modelsImportCommand(exit: (status: number) => void): Command {
  const command = new Command("import").description(
    "make foreign weights a model of yours: an ONNX file and a card",
  );
  const kind = (name: string, description: string, called = "after its file") =>
    command.command(name).description(description)
      .option("--name <name>", `what the model is called; by default ${called}`)
      .option("--into <folder>", "where it is written; by default your model folder");
  kind("darknet", "a detector with YOLO heads: YOLOv3, v3-tiny, v3-spp, Open Images …")
    .requiredOption("--cfg <file>", "the network")
    .requiredOption("--weights <file>", "its weights")
    .option("--names <file>", "names of its classes, one a line; else they are numbered")
    .action(async (options: Place & { cfg: string; weights: string; names?: string }) => {
      const { importDarknetModel } = await import("./import_run.ts");
      exit(await importDarknetModel(options));
    });
  kind("emonet", "EmoNet: 20 emotions, valence and arousal", "emonet")
    .argument("<source>", "the PyTorch state dict (.pth), or the folder of the MATLAB export")
    .option(
      "--mean <file>",
      "the mean image, img_mean.txt; by default looked for beside the weights",
    )
    .action(async (source: string, options: Place & { mean?: string }) => {
      const { importEmonetModel } = await import("./import_run.ts");
      exit(await importEmonetModel(source, options));
    });
  kind("onnx", "a model as an exporter wrote it (operator set 9 to 21)")
    .argument("<file>", "the ONNX file")
    .option("--card <file>", "its card; else it is taken as a classifier with numbered classes")
    .action(async (file: string, options: Place & { card?: string }) => {
      const { importOnnxModel } = await import("./import_run.ts");
      exit(await importOnnxModel(file, options));
    });
  return command;
}
