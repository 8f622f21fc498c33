/**
 * Detectors, one kind a file. To add one: write the file and list its kind here.
 *
 * @module
 */

import type { Orientation } from "../image/image.ts";
import { ModelError, UsageError } from "../base/errors.ts";
import type { CorpusImage } from "../image/image_file.ts";
import { type DetectorCard, findCard, type Located } from "../runtime/card.ts";
import type { Backend } from "../runtime/session.ts";
import { BOX_FILE_OPTIONS, openBoxes } from "./box_files/open.ts";
import type {
  DecoderKind,
  Detector,
  DetectorOption,
  DetectorOptions,
  MatchOptions,
  OpenedDetector,
} from "./detector.ts";
import { faceParts } from "./face_parts.ts";
import { yolo } from "./yolo.ts";
import { isFile, pathFrom } from "../base/files.ts";
import { flag } from "../base/flag.ts";

export type {
  Box,
  DecoderKind,
  Detections,
  Detector,
  DetectorOption,
  DetectorOptions,
  Face,
  OpenedDetector,
} from "./detector.ts";
export { boxesDetector, inPixels, matchImages } from "./box_files/match.ts";
export { readBoxes } from "./box_files/mod.ts";
// The two nets that face parts are made of.
export { openFaceLandmarks } from "./face_landmarks.ts";
export { openTinyFace } from "./tiny_face.ts";

/** The kinds of detectors that a card can name. */
export const DECODERS: readonly DecoderKind[] = [faceParts, yolo];

/** The settings of all kinds and of files of boxes, each once. */
export const DETECTOR_OPTIONS: readonly DetectorOption[] = [
  ...new Map(
    [...DECODERS.flatMap(({ options }) => options), ...BOX_FILE_OPTIONS]
      .map((option) => [option.name, option]),
  ).values(),
];

/** Those of a command's options that are a detector's, where they are given. */
export function detectorOptions(options: Readonly<Record<string, unknown>>): DetectorOptions {
  return Object.fromEntries(
    DETECTOR_OPTIONS.map(({ name }) => [name, options[name]] as const)
      .filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  );
}

/** How a detector is opened. */
interface DetectorSettings {
  readonly backend: Backend;
  /** As given. */
  readonly options?: DetectorOptions;
  /** Its values go where an option is not given and the detector has it. */
  readonly preset?: string | undefined;
  /** Of the pictures; by default upright. */
  readonly orientation?: Orientation;
  /** The folder from which the path of a card or of boxes starts, instead of the working directory. */
  readonly base?: string | undefined;
  /** How a file of boxes is matched with the images. */
  readonly matching?: MatchOptions;
}

/**
 * Opens a shipped detector, a user's card, or a file of boxes for the images of a corpus.
 *
 * @param name of a card, or the path of a card or of boxes
 * @param images with which a file of boxes is matched
 * @throws {UsageError} and {@linkcode ModelError} saying what cannot be used; also for an option that the detector does not have.
 */
export async function findDetector(
  name: string,
  images: readonly CorpusImage[],
  { backend, options = {}, preset, orientation = "exif", base, matching }: DetectorSettings,
): Promise<OpenedDetector> {
  const boxes = await openBoxes(name, base, options);
  if (!boxes) {
    const located = await findDetectorCard(name, base);
    const presets = presetOptions(located.card, preset);
    const detector = await openDetector(located, backend, { ...presets, ...options });
    return { detector, notices: detector.notices ?? [] };
  }
  checkOptions(name, options, BOX_FILE_OPTIONS);
  const matched = await boxes.detector.match?.(images, orientation, matching);
  return matched ? { ...matched, notices: [...boxes.notices, ...matched.notices] } : boxes;
}

async function findDetectorCard(
  name: string,
  base: string | undefined,
): Promise<Located<DetectorCard>> {
  if (/\.onnx$/i.test(name)) {
    const why = await isFile(pathFrom(base, name))
      ? "an ONNX file alone does not say how its outputs are boxes"
      : "there is no such file";
    throw new UsageError(
      `Cannot use ${name} as detector: ${why}; give a model card (.json) of a kind that emocam decodes (${
        DECODERS.map(({ kind }) => kind).join(", ")
      }), or the boxes that it finds as a file (CSV, COCO JSON, YOLO folder)`,
    );
  }
  const { card, folder } = await findCard(name, base, "detector");
  if (card.task === "detector") return { card, folder };
  throw new UsageError(
    `Cannot use model ${card.name} as detector: its card says task ${card.task}; see emocam models list`,
  );
}

/** The values of a preset for the settings that a card's kind has. */
function presetOptions({ decoder }: DetectorCard, preset: string | undefined): DetectorOptions {
  const kind = DECODERS.find(({ kind }) => kind === decoder.kind);
  if (preset === undefined || !kind) return {};
  return Object.fromEntries(
    kind.options.flatMap(({ name, presets }) => {
      const value = presets?.[preset];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/**
 * Opens the detector of a card.
 *
 * @throws {ModelError} for a kind that is not listed, or as the detector itself
 * @throws {UsageError} for an option that the detector does not have, or a value that the option does not take
 */
export async function openDetector(
  located: Located<DetectorCard>,
  backend: Backend,
  options: DetectorOptions = {},
): Promise<Detector> {
  const { card } = located;
  const kind = DECODERS.find(({ kind }) => kind === card.decoder.kind);
  if (!kind) {
    throw new ModelError(
      `Cannot open detector ${card.name}: decoder kind ${
        JSON.stringify(card.decoder.kind)
      }; known are ${DECODERS.map(({ kind }) => kind).join(", ")}`,
    );
  }
  checkOptions(card.name, options, kind.options);
  return await kind.open(located, backend, options);
}

/**
 * @param own the options that the detector has
 * @throws {UsageError} for another one: a result that does not follow an option would be a wrong one.
 */
function checkOptions(
  name: string,
  options: DetectorOptions,
  own: readonly DetectorOption[],
): void {
  for (const [asked, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const option = own.find(({ name }) => name === asked);
    if (!option) {
      const having = DECODERS.filter(({ options }) => options.some(({ name }) => name === asked))
        .map(({ title }) => title).join(" and ");
      const why = BOX_FILE_OPTIONS.some(({ name }) => name === asked)
        ? "only files of boxes have it"
        : having === ""
        ? "no detector has it"
        : `only ${having} detectors have it`;
      throw new UsageError(
        `Cannot use ${flag(asked)} ${value} with detector ${name}: ${why}; leave it out`,
      );
    }
    const { values } = option;
    const [fits, range] = "min" in values
      ? [
        typeof value === "number" && value >= values.min && value <= values.max,
        `a number from ${values.min} to ${values.max}`,
      ]
      : [values.some((word) => word === value), values.join(", ")];
    if (!fits) throw new UsageError(`Cannot use ${asked} ${value}: give ${range}`);
  }
}
