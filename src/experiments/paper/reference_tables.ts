/**
 * The two tables of model outputs that the published code writes and its notebooks read, `emonet_outputs_METHOD.csv` and
 * `yolo_outputs_METHOD.csv`, made of our rows. Text and numbers are as pandas writes them, so that a table that is read and made again is
 * the same bytes.
 *
 * @module
 */

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
