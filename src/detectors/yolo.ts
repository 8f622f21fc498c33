/**
 * YOLOv3 and its kin: an ONNX network with raw heads (as `models import darknet` makes it), in one of two profiles.
 *
 * | | `darknet` | `lightnet` (what EmoCAM ran) |
 * |---|---|---|
 * | batch norm | √variance + 10⁻⁶ | √(variance + ε), as in ONNX |
 * | letterbox | grey, Darknet's bilinear filter | black, Pillow's bicubic filter on 8-bit pixels |
 * | classes | a sigmoid each: one box can have several | softmax: the best one |
 * | thresholds by default | .25, suppression .45 | .005, suppression .005 |
 *
 * A profile is all of a column: there is no way to mix them.
 *
 * @module
 */

import { z } from "zod";
import { ImageError, UsageError } from "../base/errors.ts";
import { type Json, sha256 } from "../base/json.ts";
import { invertPlacement, isEmpty, placeRect, type Rect } from "../image/geometry.ts";
import type { RgbImage } from "../image/image.ts";
import {
  darknetLetterbox,
  letterbox,
  letterboxDarknet,
  letterboxPlacement,
  paperLetterbox,
} from "../image/letterbox.ts";
import type { DetectorCard, Located } from "../runtime/card.ts";
import { readNetwork } from "../runtime/network.ts";
import type { Backend } from "../runtime/session.ts";
import { type CentreBoxes, type KeptRows, suppressClasses } from "./_nms.ts";
import { decodeDarknet, decodeLightnet, type YoloHead } from "./_yolo_decode.ts";
import type { Box, DecoderKind, Detector } from "./detector.ts";
import {
  decoderSettings,
  type DetectorNetwork,
  type DetectorNetworkCard,
  type Head,
  openDetectorNetwork,
  refuseCard,
} from "./network.ts";

/** How the heads are read: as Darknet does, or as lightnet (the paper). */
const PROFILES = ["darknet", "lightnet"] as const;

type YoloProfile = typeof PROFILES[number];

const extent = z.number().positive();
const share = z.number().min(0).max(1);
const settingsSchema = z.strictObject({
  kind: z.literal("yolo"),
  /** The profile that is taken where none is asked for. */
  profile: z.enum(PROFILES).default("darknet"),
  /** Thresholds instead of the profile's. */
  confidence: share.optional(),
  nms: share.optional(),
  /** In the order of the network's heads, which is that of equally good boxes. */
  heads: z.array(z.strictObject({
    /** Name of the graph's output: raw logits [N, anchors · (5 + classes), height, width]. */
    output: z.string().min(1),
    /** Width and height of each anchor in pixels of the network's input. */
    anchors: z.array(z.tuple([extent, extent])).min(1),
  })).min(1),
});

/** Settings of the decoder, the section `decoder` of the card. */
type YoloSettings = z.infer<typeof settingsSchema>;

/**
 * Thresholds of each profile: those of EmoCAM's code for lightnet; for Darknet the suppression of all its programs, and the confidence of
 * the reference results (its programs have had .24 to .5 by default).
 */
export const YOLO_DEFAULTS: Readonly<Record<YoloProfile, { confidence: number; nms: number }>> = {
  darknet: { confidence: .25, nms: .45 },
  lightnet: { confidence: .005, nms: .005 },
};

const optionsSchema = z.strictObject({
  profile: z.enum(PROFILES).optional(),
  /** Boxes must be over this confidence. */
  confidence: share.optional(),
  /** Of two boxes of a class whose intersection over union is over this, the worse goes. */
  nms: share.optional(),
});

/** What a run can choose. */
export type YoloOptions = z.infer<typeof optionsSchema>;

/** YOLOv3 and its kin. */
export const yolo: DecoderKind = {
  kind: "yolo",
  title: "YOLO",
  options: [
    {
      name: "profile",
      values: PROFILES,
      help:
        "how the heads are read: as darknet or as lightnet (the paper) does; by default as the card says",
      presets: { paper: "lightnet" },
    },
    {
      name: "confidence",
      values: { min: 0, max: 1 },
      help: "boxes must exceed this confidence; by default .25 (darknet), .005 (lightnet)",
    },
    {
      name: "nms",
      values: { min: 0, max: 1 },
      help: "IoU above which the lower-scoring box of a label is suppressed (NMS); " +
        "by default .45 (darknet), .005 (lightnet)",
    },
  ],
  open: (located, backend, options) => openYolo(located, backend, optionsSchema.parse(options)),
};

/** A card that has all that a YOLO needs. */
interface YoloCard extends DetectorNetworkCard {
  readonly classes: readonly string[];
  readonly settings: YoloSettings;
}

/**
 * Opens a YOLO detector: boxes in image pixels, not clipped to the image (a box without extent in double precision is left out),
 * ordered by falling confidence, then class, then the profile's own order of rows. Images are run one at a time, so that a
 * result does not depend on its neighbours.
 *
 * Departs from lightnet: boxes are computed in double precision and suppressed exactly, class by class (see `_nms.ts`); they leave
 * in image pixels, exactly back from the frame in which EmoCAM leaves them.
 *
 * @throws {ModelError} when the card lacks something, the network is not what it says, or the backend refuses the model.
 * @throws {UsageError} for a threshold outside 0…1.
 */
export async function openYolo(
  located: Located<DetectorCard>,
  backend: Backend,
  options: YoloOptions = {},
): Promise<Detector> {
  const card = yoloCard(located.card);
  const { settings, input, classes } = card;
  const profile = options.profile ?? settings.profile;
  // Thresholds of the card belong to its own profile.
  const own: Partial<YoloSettings> = profile === settings.profile ? settings : {};
  const confidence = options.confidence ?? own.confidence ?? YOLO_DEFAULTS[profile].confidence;
  const nms = options.nms ?? own.nms ?? YOLO_DEFAULTS[profile].nms;
  for (const [name, value] of Object.entries({ confidence, nms })) {
    if (!share.safeParse(value).success) {
      throw new UsageError(`Cannot use ${name} ${value}: give a number from 0 to 1`);
    }
  }
  const network = await openDetectorNetwork(
    await readNetwork({ card, folder: located.folder }),
    backend,
    headsOf(card),
    profile === "darknet" ? "darknet" : "onnx",
  );
  const frame = { width: input.width, height: input.height };
  const run = async (planes: Float32Array) => await runHeads(network, card, planes);
  const find = {
    async darknet(image: RgbImage): Promise<Box[]> {
      const geometry = darknetLetterbox(image, frame.width, frame.height);
      const heads = await run(letterboxDarknet(image, frame.width, frame.height));
      const settings = { classes: classes.length, confidence, image, geometry };
      const rows = decodeDarknet(heads, settings);
      const kept = suppressClasses(rows.boxes, rows.classes, { threshold: nms, single: true });
      return toBoxes(rows.boxes, kept, classes, (rect) => rect);
    },
    async lightnet(image: RgbImage): Promise<Box[]> {
      const heads = await run(planesOf(letterbox(image, frame.width, frame.height)));
      const rows = decodeLightnet(heads, { classes: classes.length, confidence, frame });
      const kept = suppressClasses(rows.boxes, rows.classes, { threshold: nms, single: false });
      const geometry = paperLetterbox(image, frame.width, frame.height);
      const back = invertPlacement(letterboxPlacement(image, geometry));
      return toBoxes(rows.boxes, kept, classes, (rect) => placeRect(back, rect));
    },
  }[profile];
  return {
    name: card.name,
    key: {
      detector: "yolo",
      version: 1,
      profile,
      confidence,
      nms,
      sha256: card.sha256,
      frame,
      heads: settings.heads as Json,
      classes: sha256(classes.join("\n")),
    },
    cards: [located.card],
    notices: network.notices,
    labels: classes,
    frame,
    detect: async (image) => ({ boxes: await find(image), faces: [] }),
    dispose: () => network.dispose(),
  };
}

/** @throws {ModelError} naming what the card lacks, or what no profile does. */
function yoloCard(card: DetectorCard): YoloCard {
  const settings = decoderSettings(card, settingsSchema);
  const refuse = (what: string) => refuseCard(card, what);
  const { file, sha256, classes, input } = card;
  if (!file || !sha256 || !classes?.length || !input) {
    const fields = { file, sha256, classes: classes?.length, input };
    const missing = Object.entries(fields).filter(([, value]) => !value).map(([name]) => name);
    return refuse(`its card has no ${missing.join(", ")}; a yolo needs them`);
  }
  const fixed = { channels: "rgb", fit: "letterbox", resize: "pillow-bicubic" } as const;
  for (const [name, value] of Object.entries(fixed)) {
    const own = input[name as keyof typeof fixed];
    if (own !== value) refuse(`input.${name} is ${own}; the profiles of a yolo have ${value}`);
  }
  const { scale, mean, std, meanImage } = input;
  const plain = Math.abs(scale * 255 - 1) < 1e-9 && mean.every((value) => value === 0) &&
    std.every((value) => value === 1) && meanImage === undefined;
  if (!plain) refuse("its input is scaled; the profiles of a yolo take 0…1: scale 1/255, no mean");
  const { name, task, source } = card;
  return { name, task, source, file, sha256, classes, input, settings };
}

/** What each head must be, for the card's anchors and classes. */
function headsOf({ settings, classes }: YoloCard): Head[] {
  return settings.heads.map(({ output, anchors }) => {
    const channels = anchors.length * (5 + classes.length);
    return {
      output,
      channels,
      because: `${anchors.length} anchors and ${classes.length} classes need ` +
        `${channels} = ${anchors.length} × (5 + ${classes.length}) channels`,
    };
  });
}

/** Runs one image. */
async function runHeads(
  network: DetectorNetwork,
  { input, settings }: YoloCard,
  planes: Float32Array,
): Promise<YoloHead[]> {
  const outputs = await network.run(planes, input);
  return settings.heads.map(({ output, anchors }, i) => {
    const { shape, data } = outputs[i];
    return { name: output, logits: data, height: shape[2], width: shape[3], anchors };
  });
}

/** 8-bit pixels as planes [3, height, width], 0…1: the float32 nearest to value / 255. */
function planesOf({ width, height, data }: RgbImage): Float32Array {
  const size = width * height;
  const planes = new Float32Array(3 * size);
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < 3; c++) planes[c * size + i] = data[3 * i + c] / 255;
  }
  return planes;
}

/** The kept rows of all classes as boxes, best first. */
function toBoxes(
  centres: CentreBoxes,
  kept: readonly KeptRows[],
  labels: readonly string[],
  place: (rect: Rect) => Rect,
): Box[] {
  const boxes: { box: Box; index: number; row: number }[] = [];
  kept.forEach(({ rows, confidence }, index) =>
    rows.forEach((row, i) => {
      const [x, y, width, height] = centres.subarray(4 * row, 4 * row + 4);
      const rect = place({
        x0: x - width / 2,
        y0: y - height / 2,
        x1: x + width / 2,
        y1: y + height / 2,
      });
      if (isEmpty(rect)) return;
      if (!Object.values(rect).every(Number.isFinite)) {
        throw new ImageError(`Cannot detect objects: a box reaches to ${Object.values(rect)}`);
      }
      boxes.push({ box: { label: labels[index], confidence: confidence[i], ...rect }, index, row });
    })
  );
  boxes.sort((a, b) => b.box.confidence - a.box.confidence || a.index - b.index || a.row - b.row);
  return boxes.map(({ box }) => box);
}
