/**
 * The command `detect`.
 *
 * @module
 */

import { Command, Option } from "commander";
import { BACKENDS } from "../../runtime/backend_names.ts";
import { number, oneOf } from "../options/parsers.ts";

/** Defines `detect`. */
export function detectCommand(exit: (status: number) => void): Command {
  return new Command("detect")
    .description("boxes of the objects in images: label, confidence, corners in image pixels")
    .argument("<image...>", "images, folders or globs; or tables (CSV, TSV) with a path column")
    .option(
      "--detector <name>",
      "shipped or imported detector, card, or boxes made elsewhere (CSV, COCO JSON, YOLO folder)",
      "face-parts",
    )
    .addOption(
      new Option(
        "--profile <name>",
        "YOLO detectors: as darknet or as lightnet (the paper); by default as the card says",
      )
        .argParser(oneOf("--profile", ["darknet", "lightnet"])),
    )
    .addOption(
      new Option(
        "--confidence <c>",
        "YOLO detectors: boxes are over this; by default .25 (darknet), .005 (lightnet)",
      )
        .argParser(number("--confidence", { min: 0, max: 1 })),
    )
    .addOption(
      new Option(
        "--nms <t>",
        "YOLO detectors: of two boxes of a label that overlap more than this (intersection over union) the " +
          "better stays; by default .45 (darknet), .005 (lightnet)",
      )
        .argParser(number("--nms", { min: 0, max: 1 })),
    )
    .option("--json", "print JSON")
    .option(
      "--out <file>",
      "write the boxes to a file instead: CSV where its name ends in .csv, else JSON",
    )
    .addOption(
      new Option("--backend <name>", "auto, webgpu, native or wasm")
        .argParser(oneOf("--backend", ["auto", ...BACKENDS])).default("auto"),
    )
    .addOption(
      new Option("--orientation <rule>", "turn pictures upright (exif) or take them as stored")
        .argParser(oneOf("--orientation", ["exif", "stored"])).default("exif"),
    )
    .action(async (paths: string[], options) => {
      const { runDetect } = await import("./run.ts");
      exit(await runDetect(paths, options));
    });
}
