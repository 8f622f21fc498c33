/** The small corpus of `tests/golden/paper/` as the analyses take it. */

import {
  PAPER_SETTINGS,
  type PaperInput,
  type PaperSettings,
} from "../../../src/experiments/paper/mod.ts";
import { readEmonetOutputs, readYoloOutputs } from "./read_reference_tables.ts";
import json from "../../golden/paper/corpus.json" with { type: "json" };

/** The expected values. */
export const expected = json;

/** A file of the corpus. */
export function goldenText(name: string): string {
  return Deno.readTextFileSync(new URL(`../../golden/paper/${name}`, import.meta.url));
}

const { predictions, emotions } = readEmonetOutputs(goldenText("emonet_outputs.csv"), "emonet");

/** Predictions, annotations, and three methods' detections. */
export const input = {
  emotions,
  predictions,
  annotations: json.annotations.map((row) => ({ ...row, ambiguity: Number(row.ambiguity) })),
  methods: json.methods.map((name) => ({
    name,
    title: `Method ${name}`,
    detections: readYoloOutputs(goldenText(`yolo_outputs_${name}.csv`), name),
  })),
} satisfies PaperInput;

/** The paper's settings with the corpus's names. */
export const settings: PaperSettings = {
  ...PAPER_SETTINGS,
  filters: json.filters,
  objects: json.objects,
  annotationObjects: json.objects,
  annotatedEmotions: json.annotated,
};

/** Vectors as strings of 0 and 1. */
export function bits(vectors: readonly Uint8Array[]): string[] {
  return vectors.map((vector) => vector.join(""));
}
