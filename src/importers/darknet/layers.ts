/**
 * What each kind of cfg section becomes, with the size of its output. Source and departures: `network.ts`.
 *
 * @module
 */

import { ACTIVATIONS } from "./activations.ts";
import { quoted } from "./cfg.ts";
import { type DarknetLayer, type Extent, type Operation, sizeText } from "./layer.ts";
import type { SectionOptions } from "./options.ts";

/** What the section of a layer is read with. */
export interface LayerSite {
  readonly options: SectionOptions;
  readonly index: number;
  /** The layers before it. */
  readonly layers: readonly DarknetLayer[];
  /** Output of the layer before it. */
  readonly input: Extent;
}

/** A section's layer. */
interface LayerResult {
  readonly operation: Operation;
  readonly output: Extent;
}

type ReadLayer = (site: LayerSite) => LayerResult;

/** Keys of any layer that only training reads. */
const TRAINING = ["truth", "onlyforward", "stopbackward", "dontsave", "learning_rate", "smooth"];
/** The same of [yolo], with those of other Darknets. */
const YOLO_TRAINING = new Set([
  ...TRAINING,
  ...("max jitter ignore_thresh truth_thresh random map resize absolute iou_loss iou_normalizer obj_normalizer " +
    "cls_normalizer iou_thresh iou_thresh_kind max_delta label_smooth_eps focal_loss counters_per_class")
    .split(" "),
]);
const WITHOUT_EFFECT = new Set(TRAINING);

/** Settings by which Darknet would leave weights of the file out. */
function allLoaded(options: SectionOptions): void {
  for (const key of ["dontload", "dontloadscales", "numload"]) {
    options.unused(key, 0, "leaves weights out");
  }
}

function activationOf(options: SectionOptions, otherwise: string): string {
  const name = options.text("activation", otherwise);
  if (!Object.hasOwn(ACTIVATIONS, name)) {
    options.refuse(
      `unknown activation ${quoted(name)} (Darknet would silently take relu); use one of ${
        Object.keys(ACTIVATIONS).join(", ")
      }`,
      "activation",
    );
  }
  return name;
}

/** Windows that fit on one axis. */
function windows(site: LayerSite, extent: number, padding: number, size: number, stride: number) {
  if (extent + padding < size) {
    site.options.refuse(
      `its windows of ${size} do not fit into the map ${sizeText(site.input)}; ` +
        "use a larger [net] width and height, or fewer strided layers",
    );
  }
  return Math.floor((extent + padding - size) / stride) + 1;
}

const convolutional: ReadLayer = (site) => {
  const { options, input } = site;
  const filters = options.int("filters", 1, 1);
  const size = options.int("size", 1, 1);
  const stride = options.int("stride", 1, 1);
  const pad = options.int("pad", 0), stated = options.int("padding", 0, 0);
  const padding = pad !== 0 ? Math.floor(size / 2) : stated;
  const groups = options.int("groups", 1, 1);
  const batchNormalize = options.int("batch_normalize", 0) !== 0;
  const activation = activationOf(options, "logistic");
  options.unused("binary", 0, "makes binary weights");
  options.unused("xnor", 0, "makes a XNOR layer");
  options.unused("flipped", 0, "transposes the weights");
  options.unused("dilation", 1, "spreads the filters, which this Darknet ignores");
  options.unused("antialiasing", 0, "filters the output, which this Darknet ignores");
  allLoaded(options);
  if (input.channels % groups !== 0 || filters % groups !== 0) {
    options.refuse(
      `groups=${groups} does not divide ${input.channels} channels and ${filters} filters; correct one of them`,
      "groups",
    );
  }
  options.finish(new Set([...TRAINING, "dot"]));
  const [height, width] = [input.height, input.width]
    .map((extent) => windows(site, extent, 2 * padding, size, stride)) as [number, number];
  return {
    operation: {
      kind: "convolutional",
      filters,
      size,
      stride,
      padding,
      groups,
      batchNormalize,
      activation,
    },
    output: { channels: filters, height, width },
  };
};

/** Padding is a total; half of it, rounded down, lies before the map. Outside counts as -∞. */
const maxpool: ReadLayer = (site) => {
  const { options, input } = site;
  const stride = options.int("stride", 1, 1);
  const size = options.int("size", stride, 1);
  const padding = options.int("padding", size - 1, 0);
  options.unused("maxpool_depth", 0, "pools over channels, which this Darknet ignores");
  options.unused("antialiasing", 0, "filters the output, which this Darknet ignores");
  options.finish(WITHOUT_EFFECT);
  const before = Math.floor(padding / 2);
  const axes = [input.height, input.width].map((extent) => {
    const cells = windows(site, extent, padding, size, stride);
    return { cells, after: Math.max(0, (cells - 1) * stride + size - extent - before) };
  }) as [{ cells: number; after: number }, { cells: number; after: number }];
  if (Math.max(before, axes[0].after, axes[1].after) >= size) {
    options.refuse(
      `padding=${padding} leaves windows of ${size} outside the map; use at most ${size - 1}`,
      "padding",
    );
  }
  return {
    operation: { kind: "maxpool", size, stride, before, after: [axes[0].after, axes[1].after] },
    output: { channels: input.channels, height: axes[0].cells, width: axes[1].cells },
  };
};

/** The layer that a relative (negative) or absolute number means. */
function layerAt({ options, index, layers }: LayerSite, number: number, key: string): DarknetLayer {
  const layer = layers[number < 0 ? index + number : number];
  if (!layer) {
    options.refuse(
      `${key}: there is no layer ${number} before this one; ` +
        (index === 0
          ? "the first layer cannot refer to another"
          : `use -${index} … -1 or 0 … ${index - 1}`),
      key,
    );
  }
  if (layer.operation.kind === "yolo") {
    options.refuse(`${key}: layer ${layer.index} is a [yolo] layer; refer to another`, key);
  }
  return layer;
}

const shortcut: ReadLayer = (site) => {
  const { options, input } = site;
  const from = options.list("from", "whole");
  if (from?.length !== 1) {
    return options.refuse(
      `from names ${from?.length ?? "no"} layers; name one, such as from=-3`,
      "from",
    );
  }
  const other = layerAt(site, from[0], "from");
  const activation = activationOf(options, "linear");
  options.unused("alpha", 1, "weighs the sum");
  options.unused("beta", 1, "weighs the sum");
  options.finish(WITHOUT_EFFECT);
  if (sizeText(other.output) !== sizeText(input)) {
    options.refuse(
      `it adds ${sizeText(other.output)} of layer ${other.index} to ${sizeText(input)} ` +
        "(Darknet would silently add the common part); both must be equal",
      "from",
    );
  }
  return { operation: { kind: "shortcut", from: other.index, activation }, output: input };
};

const route: ReadLayer = (site) => {
  const { options } = site;
  const numbers = options.list("layers", "whole");
  if (!numbers) return options.refuse("layers is missing; write layers=…");
  options.unused("groups", 1, "splits the maps, which this Darknet ignores");
  options.unused("group_id", 0, "splits the maps, which this Darknet ignores");
  options.finish(WITHOUT_EFFECT);
  const sources = numbers.map((number) => layerAt(site, number, "layers"));
  const { height, width } = sources[0].output;
  for (const { index, output } of sources) {
    if (output.height === height && output.width === width) continue;
    options.refuse(
      `it joins ${sizeText(sources[0].output)} of layer ${sources[0].index} with ${
        sizeText(output)
      } of layer ${index}; heights and widths must be equal (where upsampled maps are joined, [net] width and height must be ` +
        "multiples of the network's total stride)",
      "layers",
    );
  }
  const channels = sources.reduce((sum, { output }) => sum + output.channels, 0);
  return {
    operation: { kind: "route", from: sources.map(({ index }) => index) },
    output: { channels, height, width },
  };
};

const upsample: ReadLayer = ({ options, input }) => {
  // A negative stride would reverse the layer.
  const stride = options.int("stride", 2, 1);
  const scale = options.float("scale", 1);
  options.finish(WITHOUT_EFFECT);
  return {
    operation: { kind: "upsample", stride, scale },
    output: {
      channels: input.channels,
      height: input.height * stride,
      width: input.width * stride,
    },
  };
};

const yolo: ReadLayer = ({ options, input }) => {
  const classes = options.int("classes", 20, 1);
  const num = options.int("num", 1, 1);
  const values = options.list("anchors", "real");
  // Their number is bounded by the file, so num is checked against it before anything of its size is made.
  if (values?.length !== 2 * num) {
    return options.refuse(
      `anchors has ${values?.length ?? 0} numbers, num=${num} needs ${
        2 * num
      }; write width,height of each`,
      "anchors",
    );
  }
  if (values.some((value) => value <= 0)) {
    options.refuse("anchors holds a size that is not above 0; correct it", "anchors");
  }
  const mask = options.list("mask", "whole") ?? Array.from({ length: num }, (_, i) => i);
  const outside = mask.find((i) => i < 0 || i >= num);
  if (outside !== undefined) {
    options.refuse(`mask names anchor ${outside}, num=${num}; use 0 … ${num - 1}`, "mask");
  }
  options.unused("scale_x_y", 1, "stretches the cells, which this Darknet ignores");
  options.unused("new_coords", 0, "changes the decoding, which this Darknet ignores");
  options.finish(YOLO_TRAINING);
  const needed = mask.length * (classes + 5);
  if (input.channels !== needed) {
    options.refuse(
      `${mask.length} anchors in mask and ${classes} classes need ${mask.length}·(${classes}+5) = ${needed} filters in the layer ` +
        `before, which has ${input.channels}; correct filters, classes or mask`,
    );
  }
  const anchors = mask.map((i) => [values[2 * i], values[2 * i + 1]] as const);
  return { operation: { kind: "yolo", head: { classes, anchors } }, output: input };
};

/** By the names of sections; `conv` and `max` are Darknet's own short forms. */
export const LAYERS: Readonly<Record<string, ReadLayer>> = {
  convolutional,
  shortcut,
  route,
  upsample,
  maxpool,
  yolo,
  conv: convolutional,
  max: maxpool,
};
