/**
 * Tables as the analyses give them: to be written as CSV by whoever asked.
 *
 * @module
 */

import type { Field } from "../../base/csv.ts";

/** A table, by the name of its file without the ending. */
export interface Table {
  readonly name: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly Field[])[];
}

/** What columns are called. */
export interface ColumnNames {
  readonly image: string;
  readonly emotion: string;
  readonly object: string;
  readonly annotated: string;
  /** Predicted valence, annotated valence, predicted arousal, annotated arousal. */
  readonly quantities: readonly [string, string, string, string];
  /** What an image is called; by its path where this is absent. */
  imageName?(path: string): string;
}

/** Our own names. */
export const COLUMNS: ColumnNames = {
  image: "image",
  emotion: "emotion",
  object: "object",
  annotated: "annotated_emotion",
  quantities: ["valence", "annotated_valence", "arousal", "annotated_arousal"],
};

/** The published code's, so that notebooks made for its tables read ours. */
export const REFERENCE_COLUMNS: ColumnNames = {
  image: "dir_image_path",
  emotion: "emonet_emotion",
  object: "detected_object",
  annotated: "ann_emotion",
  quantities: ["emonet_valence", "ann_valence", "emonet_arousal", "ann_arousal"],
  imageName: referenceImage,
};

/** The name that the published code gives an image: its folder and its file name. */
export function referenceImage(path: string): string {
  return path.split(/[/\\]/).filter((part) => part !== "").slice(-2).join("/");
}

/** The name that the published code gives a method in the names of its tables: gradcam, ablation, lime, lrp, lift. */
export function referenceMethod(method: string): string {
  return method === "grad-cam" ? "gradcam" : method.replace(/-cam$/, "").replaceAll("-", "");
}

/** A square matrix with its names above and beside it; the corner is empty. */
export function squareTable(
  name: string,
  names: readonly string[],
  value: (row: number, column: number) => number,
): Table {
  return {
    name,
    header: ["", ...names],
    rows: names.map((rowName, i) => [rowName, ...names.map((_, j) => value(i, j))]),
  };
}
