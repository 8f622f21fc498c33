/**
 * The options that all commands which explain share.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { TARGET_CHOICES } from "../../classifier/target.ts";
import { BOX_MEANS } from "../../attribution/request.ts";
import { type CompositeName, COMPOSITES } from "../../rules/lrp/composites.ts";
import { BACKENDS } from "../../runtime/backend_names.ts";
import { distinct, list, listOf, number, oneOf, several } from "./parsers.ts";

/** What is taken where nothing is named. */
const DEFAULTS = { classifier: ["mini-xception"], detector: ["face-parts"] };

/** Options of commands which explain and give the boxes their importance. */
export function explainOptions(command: Command): Command {
  return mapOptions(command, "predicted, all, or its name or index")
    .addOption(
      new Option(
        "--box-mean <rule>",
        "mean of the map in a box: exact integral, whole pixels, or as the paper's code has it",
      )
        .argParser(oneOf("--box-mean", BOX_MEANS)).default("exact"),
    )
    .addOption(
      new Option("--threshold <t>", "a box is salient when its importance is over this").default(
        0.3,
      )
        .argParser(number("--threshold", { min: 0, max: 1 })),
    );
}

/**
 * Options of all commands which explain: those that the maps depend on.
 *
 * @param classes what `--class` can be, in words
 */
export function mapOptions(command: Command, classes: string): Command {
  return command
    .addOption(
      new Option(
        "--classifier <name>",
        "shipped or imported model, model card (.json) or ONNX file",
      )
        .argParser(several(DEFAULTS.classifier)).default(DEFAULTS.classifier, "mini-xception"),
    )
    .addOption(
      new Option(
        "--detector <name>",
        "shipped or imported detector, card, or boxes made elsewhere (CSV, COCO JSON, YOLO folder)",
      )
        .argParser(several(DEFAULTS.detector)).default(DEFAULTS.detector, "face-parts"),
    )
    .addOption(
      new Option("--profile <name>", "YOLO detectors: darknet or lightnet (the paper)")
        .argParser(oneOf("--profile", ["darknet", "lightnet"])),
    )
    .addOption(
      new Option("--confidence <c>", "YOLO detectors: boxes over this confidence")
        .argParser(number("--confidence", { min: 0, max: 1 })),
    )
    .addOption(
      new Option("--nms <t>", "YOLO detectors: overlap over which the lesser box goes")
        .argParser(number("--nms", { min: 0, max: 1 })),
    )
    .addOption(
      new Option("--samples <kind>", "what the classifier sees; by default as its card says")
        .argParser(oneOf("--samples", ["image", "faces"])),
    )
    .addOption(
      new Option("--methods <names>", "CAM methods, separated by commas, or all")
        .argParser(list).default(["grad-cam"], "grad-cam"),
    )
    .addOption(
      new Option(
        "--target <score>",
        "the score that is explained: logit, probability, margin, or published (the paper's mixture)",
      )
        .argParser(oneOf("--target", TARGET_CHOICES)).default("logit"),
    )
    .option("--class <which>", `class that is explained: ${classes}`, "predicted")
    .addOption(
      new Option("--backend <name>", "auto, webgpu, native or wasm")
        .argParser(oneOf("--backend", ["auto", ...BACKENDS])).default("auto"),
    )
    .addOption(
      new Option(
        "--layer <tensors>",
        "target layer, instead of the card's; several, separated by commas, are fused",
      ).argParser(distinct("--layer", "layer")),
    )
    .addOption(
      new Option(
        "--composite <names>",
        "rules of lrp-cam, by layer; several, separated by commas, are a method each",
      ).argParser(listOf("--composite", Object.keys(COMPOSITES) as CompositeName[])),
    )
    .option("--aug-smooth", "mean over mirrored and scaled inputs (six times the work)")
    .option("--eigen-smooth", "first principal component of the weighted channels, not their sum")
    .addOption(
      new Option(
        "--placement <rule>",
        "where cells lie: receptive-field or half-pixel (as other tools)",
      )
        .argParser(oneOf("--placement", ["receptive-field", "half-pixel"])),
    )
    .addOption(
      new Option("--orientation <rule>", "turn pictures upright (exif) or take them as stored")
        .argParser(oneOf("--orientation", ["exif", "stored"])).default("exif"),
    )
    .addOption(
      new Option("--batch <n>", "samples in a batch").default(8)
        .argParser(number("--batch", { min: 1, max: 4096, integer: true })),
    )
    .addOption(
      new Option("--seed <n>", "seed of everything random").default(0)
        .argParser(number("--seed", { min: 0, max: 2 ** 32 - 1, integer: true })),
    );
}
