/**
 * A Darknet network as a checked list of layers with their sizes.
 *
 * Source: Darknet, `parser.c` and the `make_*_layer` functions (commit f6afaab). Whatever Darknet would do silently and
 * wrongly (an unknown activation becomes ReLU, a shortcut of unequal sizes adds the common part, too few anchors are filled
 * up, a route to maps of other sizes has none …) is refused.
 *
 * @module
 */

import { ModelError } from "../../base/errors.ts";
import { type CfgSection, quoted } from "./cfg.ts";
import { type DarknetLayer, type Extent, sizeText } from "./layer.ts";
import { LAYERS, type LayerSite } from "./layers.ts";
import { SectionOptions } from "./options.ts";

/** A network. */
export interface DarknetNetwork {
  readonly input: Extent;
  readonly layers: readonly DarknetLayer[];
  /** Of all [yolo] layers; they agree. */
  readonly classes: number;
  /** Remarks on what a user may not have meant. */
  readonly notices: readonly string[];
}

/** Elements of a tensor that Darknet can count. */
const MAX_ELEMENTS = 2 ** 31 - 1;

/** Keys of [net] that only training reads, and the batch, which is free here. */
const TRAINING = new Set(
  ("batch subdivisions time_steps notruth random adam B1 B2 eps max_crop min_crop max_ratio min_ratio center clip angle " +
    "aspect saturation exposure hue learning_rate momentum decay policy burn_in power max_batches step scale steps " +
    "scales gamma").split(" "),
);

/**
 * Checks the sections of a cfg file and works out the sizes of all layers.
 *
 * @param origin name of the file, for messages
 * @throws {ModelError} naming layer, line and what to do, for the first thing that is unknown, missing or does not fit.
 */
export function readNetwork(sections: readonly CfgSection[], origin: string): DarknetNetwork {
  const [first, ...rest] = sections;
  if (!first) {
    throw new ModelError(`Cannot import ${origin}: no section in it; give a Darknet cfg file`);
  }
  const net = new SectionOptions(first, origin);
  const input = readNet(net);
  const notices = [
    ...net.unread(TRAINING).map((key) =>
      `key ${quoted(key)} of [net] is unknown and ignored, as in Darknet`
    ),
    ...net.repetitions(),
  ];
  const layers: DarknetLayer[] = [];
  rest.forEach((section, index) => {
    const options = new SectionOptions(section, origin, index);
    const read = LAYERS[section.type];
    if (!Object.hasOwn(LAYERS, section.type) || !read) {
      const known = Object.keys(LAYERS).map((name) => `[${name}]`).join(", ");
      options.refuse(`unsupported section ${quoted(`[${section.type}]`)}; supported are ${known}`);
    }
    const before = layers.at(-1);
    if (before?.operation.kind === "yolo" && section.type !== "route") {
      options.refuse("it reads a [yolo] layer; put a [route] to another layer between them");
    }
    const site: LayerSite = { options, index, layers, input: before?.output ?? input };
    const { operation, output } = read(site);
    const elements = output.channels * output.height * output.width;
    if (elements > MAX_ELEMENTS) {
      options.refuse(
        `its output ${sizeText(output)} has more than ${MAX_ELEMENTS} values; use smaller sizes`,
      );
    }
    layers.push({ index, line: section.line, input: site.input, output, operation });
    notices.push(...options.repetitions());
  });
  return { input, layers, classes: commonClasses(layers, origin), notices };
}

function readNet(options: SectionOptions): Extent {
  const { type } = options.section;
  if (type !== "net" && type !== "network") {
    options.refuse("the first section must be [net]; give a whole Darknet cfg file");
  }
  const [width, height, channels] = (["width", "height", "channels"] as const).map((key) => {
    const value = options.int(key, 0, 1);
    if (value === 0) options.refuse(`${key} is missing; write ${key}=… into [net]`);
    return value;
  }) as [number, number, number];
  if (channels !== 3) options.refuse(`channels=${channels}; only 3 (RGB) is supported`, "channels");
  const elements = channels * height * width;
  if (elements > MAX_ELEMENTS) {
    options.refuse(`width ${width} and height ${height} are too large; use smaller ones`, "width");
  }
  if (options.int("inputs", elements) !== elements) {
    options.refuse(`inputs is not width·height·channels (${elements}); remove it`, "inputs");
  }
  return { channels, height, width };
}

function commonClasses(layers: readonly DarknetLayer[], origin: string): number {
  let classes: number | undefined;
  for (const { index, line, operation } of layers) {
    if (operation.kind !== "yolo") continue;
    classes ??= operation.head.classes;
    if (operation.head.classes !== classes) {
      throw new ModelError(
        `Cannot import ${origin}: layer ${index} [yolo], line ${line}: classes=${operation.head.classes}, but ${classes} in ` +
          "the first [yolo]; all must agree",
      );
    }
  }
  if (classes === undefined) {
    throw new ModelError(
      `Cannot import ${origin}: no [yolo] section; only detectors with YOLO heads can be imported`,
    );
  }
  return classes;
}
