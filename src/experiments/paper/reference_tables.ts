/**
 * The two tables of model outputs that the published code writes and its notebooks read, `emonet_outputs_METHOD.csv` and
 * `yolo_outputs_METHOD.csv`: made of our rows, and read back. Text and numbers are as pandas writes them, so that a table that is read
 * and made again is the same bytes.
 *
 * @module
 */

import { parse } from "csv-parse/sync";
import { UsageError } from "../../base/errors.ts";
import { shownImportance } from "./filters.ts";
import type { PaperDetection, PaperPrediction } from "./rows.ts";
import { referenceImage, type Table } from "./table.ts";

const PREFIX = "emonet_";
const PREDICTION = ["dir_image_path", "emonet_emotion", "emonet_emotion_conf"] as const;
const HEADS = ["emonet_valence", "emonet_arousal"] as const;
const BOX = [
  "image",
  "detected_object",
  "id",
  "x_top_left",
  "y_top_left",
  "width",
  "height",
  "object_confidence",
  "object_importance",
  "importance",
] as const;

/**
 * `emonet_outputs_METHOD`: one row per prediction, after an unnamed running number: image, emotion, its probability, the probability of
 * each class under `emonet_<class>_conf`, valence, arousal. What a prediction has not is left empty.
 *
 * @param emotions the classifier's classes, in the order of the probabilities
 */
export function emonetOutputs(
  predictions: readonly PaperPrediction[],
  emotions: readonly string[],
  name = "emonet_outputs",
): Table {
  const classes = emotions.map((emotion) =>
    `${PREFIX}${emotion.toLowerCase().replace(/\s+/g, "_")}_conf`
  );
  return {
    name,
    header: ["", ...PREDICTION, ...classes, ...HEADS],
    rows: predictions.map((row, at) => [
      at,
      referenceImage(row.image),
      row.emotion,
      pandasFloat(row.confidence),
      ...emotions.map((_, k) => pandasFloat(row.probabilities?.[k] ?? NaN)),
      pandasFloat(row.valence ?? NaN),
      pandasFloat(row.arousal ?? NaN),
    ]),
  };
}

/**
 * `yolo_outputs_METHOD`: a row a detection: image, emotion, its probability, then brambox's columns (`image` 0 and `id` empty, as
 * there), the object's importance, and `importance`, which is 0 below the cutoff. The published code writes an image's rows by falling
 * `importance`: see `inReferenceOrder`.
 *
 * @param cutoff the published code's `confidence_thresh`
 */
export function yoloOutputs(
  detections: readonly PaperDetection[],
  name = "yolo_outputs",
  cutoff = .3,
): Table {
  return {
    name,
    header: ["", ...PREDICTION, ...BOX],
    rows: detections.map((row, at) => [
      at,
      referenceImage(row.image),
      row.emotion,
      pandasFloat(row.emotionConfidence),
      0,
      row.object,
      "",
      pandasFloat(row.box.left),
      pandasFloat(row.box.top),
      pandasFloat(row.box.width),
      pandasFloat(row.box.height),
      pandasFloat(row.objectConfidence),
      pandasFloat(row.importance),
      pandasFloat(shownImportance(row, cutoff)),
    ]),
  };
}

/**
 * Reads `emonet_outputs_METHOD.csv`.
 *
 * @param text the file
 * @param source its name, for messages
 * @returns the predictions, and the classes in the order of their columns: "Empathetic Pain" of `emonet_empathetic_pain_conf`
 * @throws {UsageError} when it is not such a table, or a value is not a number
 */
export function readEmonetOutputs(
  text: string,
  source: string,
): { predictions: PaperPrediction[]; emotions: string[] } {
  const { header, rows } = read(text, source, PREDICTION);
  const classes = header.filter((name) =>
    name.startsWith(PREFIX) && name.endsWith("_conf") && name !== "emonet_emotion_conf"
  );
  const predictions = rows.map((row) => {
    const [valence, arousal] = HEADS.map((name) => row.number(name));
    return {
      image: row.text("dir_image_path"),
      emotion: row.text("emonet_emotion"),
      confidence: row.number("emonet_emotion_conf"),
      probabilities: Float64Array.from(classes, (name) => row.number(name)),
      ...(Number.isNaN(valence) ? {} : { valence: valence! }),
      ...(Number.isNaN(arousal) ? {} : { arousal: arousal! }),
    };
  });
  const emotions = classes.map((name) =>
    name.slice(PREFIX.length, -"_conf".length)
      .replaceAll("_", " ").replace(/(^| )\p{L}/gu, (letter) => letter.toUpperCase())
  );
  return { predictions, emotions };
}

/**
 * Reads `yolo_outputs_METHOD.csv`, in the order of its rows.
 *
 * @throws {UsageError} when it is not such a table, or a value is not a number
 */
export function readYoloOutputs(text: string, source: string): PaperDetection[] {
  const needed = [...PREDICTION, "detected_object", "object_confidence", "object_importance"];
  return read(text, source, needed).rows.map((row) => ({
    image: row.text("dir_image_path"),
    emotion: row.text("emonet_emotion"),
    emotionConfidence: row.number("emonet_emotion_conf"),
    object: row.text("detected_object"),
    objectConfidence: row.number("object_confidence"),
    importance: row.number("object_importance"),
    box: {
      left: row.number("x_top_left"),
      top: row.number("y_top_left"),
      width: row.number("width"),
      height: row.number("height"),
    },
  }));
}

/** A number as pandas writes a float64: the shortest digits, `1.0`, `1e-05`, nothing for NaN. */
export function pandasFloat(value: number): string {
  if (Number.isNaN(value)) return "";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [digits, exponent] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  const plain = String(value); // without an exponent from 1e-6 to 1e21
  return plain.includes(".") ? plain : `${plain}.0`;
}

/** A row whose fields are asked for by column. */
interface Row {
  text(column: string): string;
  /** NaN where the field is empty or the column is not there. */
  number(column: string): number;
}

function read(
  text: string,
  source: string,
  needed: readonly string[],
): { header: readonly string[]; rows: Row[] } {
  let lines: string[][];
  try {
    lines = parse(text, { bom: true, skip_empty_lines: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Cannot read ${source}: ${reason}; it must be CSV with a line of names`);
  }
  const header = lines[0] ?? [];
  const missing = needed.filter((name) => !header.includes(name));
  if (missing.length > 0) {
    throw new UsageError(
      `Cannot read ${source}: no column ${missing.join(", ")}; ` +
        "it must be a table of outputs that the published code wrote, or one like it",
    );
  }
  const columns = new Map(header.map((name, at) => [name, at]));
  const rows = lines.slice(1).map((fields, at) => ({
    text: (column: string) => fields[columns.get(column)!],
    number(column: string) {
      const index = columns.get(column);
      const field = index === undefined ? "" : fields[index].trim();
      if (field === "" || /^nan$/i.test(field)) return NaN;
      const infinite = /^([+-]?)inf(inity)?$/i.exec(field);
      const value = infinite ? (infinite[1] === "-" ? -Infinity : Infinity) : Number(field);
      if (Number.isNaN(value)) {
        throw new UsageError(
          `Cannot read ${source}: ${column} of row ${at + 1} is ${JSON.stringify(field)}; ` +
            "it must be a number or empty",
        );
      }
      return value;
    },
  }));
  return { header, rows };
}
