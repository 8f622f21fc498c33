/**
 * Model cards: what must be known about a model besides its ONNX file, as one JSON file each.
 *
 * The cards that ship lie in `models/`; a user's own card is named by its path and its files lie beside it.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { messageOf, ModelError, UsageError } from "../base/errors.ts";
import { sha256 } from "../base/json.ts";
import { tidy } from "../base/text.ts";
import { decodeUnicode } from "../base/text.ts";
import { userModelsFolder } from "./model_folder.ts";
import { pathFrom } from "../base/files.ts";

const positive = z.number().int().positive();

/** Pixels on a side of a network's input: more would only be a way to ask for more memory than there is. */
const side = positive.max(8192);

/** A file beside the card. A card can come from elsewhere: it must not name other files of this machine. */
const fileBeside = z.string().refine(
  (name) => name !== "" && !/^[\\/]|^[a-z]:|(^|[\\/])\.\.([\\/]|$)/i.test(name),
  "it must lie beside the card: no absolute path, no ..",
);

/** How an image becomes the network's input. Values are `(channel value 0..255 * scale - mean) / std`. */
const inputSchema = z.strictObject({
  /** Name of the graph's input. */
  name: z.string(),
  width: side,
  height: side,
  /** Order of the graph's axes: [N, C, H, W], or [N, H, W, C] as Keras exports; by default recognised from its extents. */
  layout: z.enum(["nchw", "nhwc"]).optional(),
  /** Order of the channels; grey = 0.2989 R + 0.5870 G + 0.1140 B. */
  channels: z.enum(["rgb", "bgr", "grey"]),
  /**
   * How a picture of another shape fits: `stretch` ignores the aspect ratio; `letterbox` keeps it inside black bars on both
   * sides; `pad-end` and `pad-centre` pad to a square with black before resizing; `centre-crop` resizes the shorter side
   * to `shorterSide` and cuts the middle.
   */
  fit: z.enum(["stretch", "letterbox", "pad-end", "pad-centre", "centre-crop"]).default("stretch"),
  /** For `centre-crop`: the shorter side before cutting, in pixels; by default the input's shorter side. */
  shorterSide: side.optional(),
  /** For `centre-crop`: the library whose integer rules for size and offset hold; by default torchvision's. */
  rule: z.enum(["torchvision", "transformers", "timm", "keras"]).optional(),
  /** For `centre-crop` by timm's rule: its `crop_pct`, by default 0.875; instead of `shorterSide`. */
  cropPct: z.number().min(0.05).max(1).optional(),
  /** Resampling filter: Pillow's antialiased ones, or plain bilinear as in TensorFlow.js or OpenCV. */
  resize: z.enum([
    "pillow-bilinear",
    "pillow-bicubic",
    "pillow-lanczos",
    "bilinear-asymmetric",
    "bilinear-half-pixel",
  ]).default("pillow-bicubic"),
  scale: z.number().default(1),
  mean: z.array(z.number()).default([0]),
  std: z.array(z.number()).default([1]),
  /** A mean image [C,H,W] (`.npy` beside the card), subtracted after scaling instead of `mean`. */
  meanImage: fileBeside.optional(),
}).superRefine(({ fit, rule, cropPct, shorterSide }, context) => {
  const refuse = (field: string, message: string) =>
    context.addIssue({ code: "custom", path: [field], message });
  if (fit !== "centre-crop") {
    if (rule !== undefined) refuse("rule", 'only fit "centre-crop" has one');
    if (cropPct !== undefined) refuse("cropPct", 'only fit "centre-crop" has one');
    if (shorterSide !== undefined) refuse("shorterSide", 'only fit "centre-crop" has one');
  }
  if (cropPct !== undefined && rule !== "timm") refuse("cropPct", 'only the rule "timm" has one');
  if (cropPct !== undefined && shorterSide !== undefined) {
    refuse("cropPct", "shorterSide says the same; give one of them");
  }
  if (rule === "keras" && shorterSide !== undefined) {
    refuse("shorterSide", 'the rule "keras" has none: it cuts before it resizes');
  }
});

/** The name of a class as all labels are: trimmed, in NFC. */
const className = z.string().transform(tidy).pipe(z.string().min(1));

const common = {
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
  title: z.string().optional(),
  source: z.string(),
  licence: z.string(),
  citation: z.string().optional(),
  note: z.string().optional(),
};

const withFile = {
  ...common,
  /** The ONNX file, relative to the card. */
  file: fileBeside,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: positive.optional(),
  input: inputSchema,
};

/** The form of a classifier's card. */
export const classifierSchema = z.strictObject({
  ...withFile,
  task: z.literal("classifier"),
  output: z.strictObject({
    /** The output that holds the scores; by default the only one of the form [N, classes]. */
    name: z.string().optional(),
    /** By default probabilities where the output comes from a Softmax or Sigmoid. */
    kind: z.enum(["logits", "probabilities"]).optional(),
    /** Name of the logits' tensor, where it cannot be found from the graph. */
    logits: z.string().optional(),
  }).default({}),
  classes: z.array(className).min(1),
  /** The tensor at which the classifier is cut; by default the last one with spatial extent. */
  targetLayer: z.string().optional(),
  /** How cells of a map are placed on the input: by their receptive fields, or spread evenly as other tools do. */
  placement: z.enum(["receptive-field", "half-pixel"]).default("receptive-field"),
  /** Linear heads on the probabilities, such as valence and arousal: value = bias + Σ_k weights_k p_k. */
  heads: z.record(
    z.string().regex(/^[a-z0-9_-]+$/),
    z.strictObject({ bias: z.number(), weights: z.array(z.number()) }),
  ).optional(),
  /** A classifier of faces: the square cut out around each, as a multiple of the larger side of its landmarks or box. */
  crop: z.strictObject({
    around: z.enum(["landmarks", "face"]).default("landmarks"),
    scale: z.number().positive().default(1.2),
  }).optional(),
});

const detectorFileSchema = z.strictObject({
  ...withFile,
  task: z.enum(["faces", "landmarks"]),
  output: z.strictObject({ name: z.string() }),
  classes: z.array(className).optional(),
  decoder: z.looseObject({ kind: z.string() }),
});

const detectorSchema = z.strictObject({
  ...common,
  task: z.literal("detector"),
  classes: z.array(className).optional(),
  decoder: z.looseObject({ kind: z.string() }),
  file: fileBeside.optional(),
  sha256: z.string().optional(),
  bytes: positive.optional(),
  input: inputSchema.optional(),
  output: z.strictObject({ name: z.string() }).optional(),
});

const cardSchema = z.discriminatedUnion("task", [
  classifierSchema,
  detectorFileSchema,
  detectorSchema,
]);

/** The input section of a card. */
export type InputSpec = z.infer<typeof inputSchema>;
/** Any card. */
export type Card = z.infer<typeof cardSchema>;
/** A classifier's card. */
export type ClassifierCard = z.infer<typeof classifierSchema>;
/** The card of a network that a detector is made of. */
export type NetworkCard = z.infer<typeof detectorFileSchema>;
/** A detector's card. */
export type DetectorCard = z.infer<typeof detectorSchema>;

/** A card and the folder in which its files lie. */
export interface Located<C extends Card = Card> {
  card: C;
  folder: string;
}

/** The folder of the cards that ship with emocam. */
export const MODELS_FOLDER: string = fileURLToPath(new URL("../../models/", import.meta.url));

/**
 * Reads a card's JSON text.
 *
 * @throws {ModelError} naming the first field that is missing, misspelt or of the wrong kind.
 */
export function parseCard(text: string, origin: string): Card {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ModelError(`Cannot read model card ${origin}: not JSON (${messageOf(error)})`);
  }
  const result = cardSchema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    const field = issue.path.join(".") || "the card";
    throw new ModelError(`Cannot read model card ${origin}: ${field}: ${issue.message}`);
  }
  const card = result.data;
  if (card.task === "classifier") {
    const duplicate = card.classes.find((name, i) => card.classes.indexOf(name) !== i);
    if (duplicate !== undefined) {
      throw new ModelError(`Cannot read model card ${origin}: classes: ${duplicate} occurs twice`);
    }
  }
  if (card.input) {
    const channels = card.input.channels === "grey" ? 1 : 3;
    for (const field of ["mean", "std"] as const) {
      const { length } = card.input[field];
      if (length !== 1 && length !== channels) {
        throw new ModelError(
          `Cannot read model card ${origin}: input.${field}: ${length} values for ${channels} channels`,
        );
      }
    }
    if (card.input.std.includes(0)) {
      throw new ModelError(`Cannot read model card ${origin}: input.std: 0`);
    }
  }
  return card;
}

/** All cards that ship, by name. */
export function shippedCards(): Promise<Located[]> {
  return cardsIn(MODELS_FOLDER);
}

/** The cards of the user's model folder, by name: what was imported or fetched. */
export async function userCards(): Promise<Located[]> {
  const folder = userModelsFolder();
  return folder === undefined ? [] : await cardsIn(folder);
}

/** @throws {ModelError} when it is no card; what Deno does when it cannot be read. */
async function readCard(path: string): Promise<Card> {
  const bytes = await Deno.readFile(path);
  let text: string;
  try {
    text = decodeUnicode(bytes);
  } catch (error) {
    throw new ModelError(`Cannot read model card ${basename(path)}: ${messageOf(error)}`);
  }
  return parseCard(text, basename(path));
}

/** The cards of a folder. Files that are not `.json` are passed over; a folder that does not exist has none. */
async function cardsIn(folder: string): Promise<Located[]> {
  const cards: Located[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (!entry.isFile || !entry.name.endsWith(".json")) continue;
      const path = join(folder, entry.name);
      cards.push({ card: await readCard(path), folder });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return cards.sort((a, b) => a.card.name < b.card.name ? -1 : 1);
}

/**
 * Finds a card by the path of a `.json` file, or by the name of one that ships or lies in the user's model folder.
 *
 * @param base folder from which a path starts, instead of the working directory
 * @param task what it is wanted for: only names of such models are listed
 * @throws {UsageError} when there is no such name or file; the names there are are listed.
 * @throws {ModelError} when the card is malformed.
 */
export async function findCard(
  name: string,
  base?: string,
  task?: Card["task"],
): Promise<Located> {
  const user = userModelsFolder();
  const paths = name.endsWith(".json")
    ? [pathFrom(base, name)]
    : [MODELS_FOLDER, ...user === undefined ? [] : [user]].map((folder) =>
      join(folder, `${name}.json`)
    );
  for (const path of paths) {
    try {
      return { card: await readCard(path), folder: dirname(path) };
    } catch (error) {
      if (
        !(error instanceof Deno.errors.NotFound) && !(error instanceof Deno.errors.IsADirectory)
      ) {
        throw error;
      }
    }
  }
  const known = [...await shippedCards(), ...await userCards()]
    .flatMap(({ card }) => task === undefined || card.task === task ? [card.name] : []);
  throw new UsageError(
    `Cannot find model ${JSON.stringify(name)}: give one of ${
      known.join(", ")
    }, or the path of a card (.json); published ones come with emocam models fetch`,
  );
}

/**
 * Reads the ONNX file of a card.
 *
 * @throws {ModelError} when the file is missing or its SHA-256 is not the card's.
 */
export async function readCardFile(
  { card, folder }: {
    readonly card: Pick<NetworkCard, "name" | "file" | "sha256" | "source">;
    readonly folder: string;
  },
): Promise<Uint8Array> {
  const path = join(folder, card.file);
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ModelError(
      `Cannot use model ${card.name}: its file ${path} is missing; get it from ${card.source}`,
    );
  }
  const found = sha256(bytes);
  if (found !== card.sha256) {
    throw new ModelError(
      `Cannot use model ${card.name}: sha256 of ${card.file} is ${found}, its card says ${card.sha256}; ` +
        "get the file again, or correct the card if the change is meant",
    );
  }
  return bytes;
}
