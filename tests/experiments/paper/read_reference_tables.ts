/** Readers of the two tables of model outputs that the published code writes, for comparisons with ours. */

import { parse } from "csv-parse/sync";
import { UsageError } from "../../../src/base/errors.ts";
import type { PaperDetection, PaperPrediction } from "../../../src/experiments/paper/rows.ts";

const PREFIX = "emonet_";
const PREDICTION = ["dir_image_path", "emonet_emotion", "emonet_emotion_conf"] as const;
const HEADS = ["emonet_valence", "emonet_arousal"] as const;

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
