/**
 * From a finished run to the tables of the paper's analyses, `paper/*.csv`.
 *
 * @module
 */

import { join } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { headValues } from "../../classifier/heads.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Analysis, Stages } from "../../corpus/plan.ts";
import { PAPER_FRAME } from "../../attribution/request.ts";
import { writeTable } from "../../outputs/table.ts";
import { turned } from "../../ledger/stored_size.ts";
import {
  analyses,
  type Annotation,
  COLUMNS,
  emonetOutputs,
  inReferenceOrder,
  PAPER_SETTINGS,
  type PaperDetection,
  type PaperInput,
  type PaperMethod,
  type PaperPrediction,
  type PaperSettings,
  REFERENCE_COLUMNS,
  referenceImage,
  referenceMethod,
  type Table,
  yoloOutputs,
} from "../../experiments/paper/mod.ts";
import { placeRect } from "../../image/geometry.ts";
import { letterboxPlacement, paperLetterbox } from "../../image/letterbox.ts";
import { judgements } from "../../corpora/findingemo/annotations.ts";
import type { Method } from "../../methods/mod.ts";
import { SIMILARITIES, similarityNamed } from "../../statistics/similarity/mod.ts";
import type { PaperOptions } from "../options/paper.ts";
import type { Size } from "../../image/image.ts";

const FOLDER = "paper";
/** Names of the tables, as they begin. */
const OWN_TABLE =
  /^(emotion_object|annotation_object|emotion_annotation|valence|arousal|method|emonet_outputs|yolo_outputs)(_.*)?\.csv$/;

/** Removes the tables that an earlier run left in `paper/`. Other files stay: many a project has a folder of that name. */
export async function clearPaper(folder: string): Promise<void> {
  const own = join(folder, FOLDER);
  try {
    let others = 0;
    for await (const { name, isFile } of Deno.readDir(own)) {
      if (isFile && OWN_TABLE.test(name)) await Deno.remove(join(own, name));
      else others++;
    }
    if (others === 0) await Deno.remove(own);
  } catch (error) {
    const isNone = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (!isNone) throw error;
  }
}

/** A finished run. */
export interface PaperRun {
  readonly ledger: Ledger;
  readonly run: number;
  readonly analysis: Analysis;
  readonly stages: Stages;
}

/**
 * Writes the tables of all analyses into `paper/` of a run's folder.
 *
 * @returns what a reader must know, a line each
 */
export async function writePaper(
  folder: string,
  finished: PaperRun,
  options: PaperOptions & { readonly threshold: number },
): Promise<readonly string[]> {
  const input = paperInput(finished);
  const settings = paperSettings(options, finished.analysis);
  const { tables, notices } = analyses(input, settings);
  const own = join(folder, FOLDER);
  await Deno.mkdir(own, { recursive: true });
  const write = ({ name, header, rows }: Table) =>
    writeTable(join(own, `${name}.csv`), header, rows);
  tables.forEach(write);
  if (options.referenceColumns) {
    for (const { name, detections } of input.methods) {
      const own = referenceMethod(name);
      write(emonetOutputs(input.predictions, input.emotions, `emonet_outputs_${own}`));
      write(yoloOutputs(detections, `yolo_outputs_${own}`));
    }
  }
  return [
    ...notices,
    ...unreadNumbers(finished),
    ...unknownObjects(options, finished.analysis),
    ...unmetObjects(input, settings),
    ...options.referenceColumns ? namesakes(input) : [],
    ...input.annotations
      ? []
      : ["no image is annotated: emotion × object and the comparison of methods only"],
  ];
}

/** That numbers of annotations are other text than a number, or a word for none. */
function unreadNumbers({ ledger, run }: PaperRun): string[] {
  let count = 0, first = "";
  for (const { path, annotation = {} } of ledger.imageRows(run)) {
    for (const [name, text] of Object.entries(annotation)) {
      if (!/^(valence|arousal|ambiguity)(\.\d+)?$/.test(name)) continue;
      if (/^\s*(nan|na|n\/a|null|none)?\s*$/i.test(text) || !Number.isNaN(Number(text))) continue;
      if (count++ === 0) first = `${name} of ${path} is ${JSON.stringify(text)}`;
    }
  }
  if (count === 0) return [];
  const those = count === 1
    ? "an annotated number that is none counts"
    : `${count} annotated numbers that are none count`;
  return [`${those} as absent: ${first}`];
}

/** Names of objects that the detector does not have. */
function unknownObjects(
  { objects = [] }: PaperOptions,
  { detector: { name, labels } }: Pick<Analysis, "detector">,
): string[] {
  const unknown = labels
    ? objects.filter((object) => object !== "all" && !labels.includes(object))
    : [];
  if (unknown.length === 0) return [];
  const list = unknown.map((object) => JSON.stringify(object)).join(", ");
  return [`detector ${name} knows no object ${list}: nothing is related to it`];
}

/** That none of the objects that are related was detected anywhere, as with boxes from elsewhere under other names. */
function unmetObjects({ methods }: PaperInput, { objects }: PaperSettings): string[] {
  if (objects === "all") return [];
  const met = new Set(methods[0].detections.map(({ object }) => object));
  if (met.size === 0 || objects.some((object) => met.has(object))) return [];
  const [first] = met;
  return [
    `none of the ${objects.length} objects that are related was detected (but ${
      JSON.stringify(first)
    } …): --objects names others, or all`,
  ];
}

/** That images have one name in the published code's tables, which goes by folder and file name. */
function namesakes({ predictions }: PaperInput): string[] {
  const groups = Map.groupBy(predictions, ({ image }) => referenceImage(image));
  const shared = [...groups].filter(([, own]) => own.length > 1);
  if (shared.length === 0) return [];
  return [
    `${shared.length} names of images in the reference's columns stand for several images each (${
      shared[0][0]
    } …), which the published code takes for one`,
  ];
}

/**
 * The settings that options ask for.
 *
 * @throws {UsageError} for a similarity that is not known, and where none, or no object, is named
 */
export function paperSettings(
  options: PaperOptions & { readonly threshold: number },
  { detector }: Pick<Analysis, "detector">,
): PaperSettings {
  for (const name of ["similarity", "objects"] as const) {
    if (options[name]?.length !== 0) continue;
    throw new UsageError(`Cannot use --${name} without a name: give names, or all`);
  }
  const similarities = options.similarity.includes("all")
    ? SIMILARITIES.map(({ name }) => name)
    : [...new Set(options.similarity)].map((name) => similarityNamed(name).name);
  const { objects, annotationObjects } = PAPER_SETTINGS;
  const known = !detector.labels ||
    (objects as readonly string[]).some((name) => detector.labels!.includes(name));
  const all = "all" as const;
  const named = [...new Set(options.objects)];
  const chosen = options.objects === undefined
    ? known ? { objects, annotationObjects } : { objects: all, annotationObjects: all }
    : options.objects.includes("all")
    ? { objects: all, annotationObjects: all }
    : { objects: named, annotationObjects: named };
  return {
    ...PAPER_SETTINGS,
    ...chosen,
    similarities,
    filters: {
      importance: options.threshold,
      emotion: options.emotionConfidence,
      object: options.objectConfidence,
      ambiguity: options.ambiguity,
    },
    convention: options.corrected ? "corrected" : "published",
    ...(options.leastShare === undefined ? {} : { leastShare: options.leastShare }),
    columns: options.referenceColumns ? REFERENCE_COLUMNS : COLUMNS,
  };
}

/** The rows of a run. */
export function paperInput(finished: PaperRun): PaperInput {
  const { ledger, run, analysis, stages } = finished;
  const { classifier, methods } = analysis;
  const sizes = new Map<string, Size>();
  const annotations: Annotation[] = [];
  /** What is said of an image holds for each face that was found in it. */
  const ofFaces = new Map<string, Readonly<Record<string, string>>>();
  for (const row of ledger.imageRows(run)) {
    const { path, status, width, height, annotation } = turned(row, analysis.orientation);
    if (width !== undefined && height !== undefined) sizes.set(path, { width, height });
    // What an image shows that could not be read is not known: it is no image without objects.
    if (!annotation || status !== "ok") continue;
    if (analysis.samples === "image") annotations.push(...judgements(path, annotation));
    else ofFaces.set(path, annotation);
  }
  const predictions: PaperPrediction[] = [];
  const sampled = { sampling: stages.sampling.id, forward: stages.forward.id };
  for (const { path, sample, predicted, probabilities } of ledger.predictionRows(run, sampled)) {
    const { valence, arousal } = headValues(classifier.card, probabilities);
    const image = nameOf(analysis, path, sample.idx);
    annotations.push(...judgements(image, ofFaces.get(path) ?? {}));
    predictions.push({
      image,
      emotion: classifier.classes[predicted],
      confidence: probabilities[predicted],
      probabilities,
      ...(valence === undefined ? {} : { valence }),
      ...(arousal === undefined ? {} : { arousal }),
    });
  }
  const byImage = new Map(predictions.map((prediction) => [prediction.image, prediction]));
  return {
    emotions: classifier.classes,
    predictions,
    ...(annotations.length > 0 ? { annotations: withAmbiguity(annotations) } : {}),
    methods: methods.map((method, m) => methodRows(finished, method, m, sizes, byImage)),
  };
}

/** Annotations of a corpus that knows no ambiguity all count: 0, as an annotator who was sure gives it. */
function withAmbiguity(annotations: readonly Annotation[]): readonly Annotation[] {
  return annotations.every(({ ambiguity }) => Number.isNaN(ambiguity))
    ? annotations.map((annotation) => ({ ...annotation, ambiguity: 0 }))
    : annotations;
}

/** One method's detections, read anew whenever they are asked for: those of all methods would not fit into memory. */
function methodRows(
  { ledger, run, analysis, stages }: PaperRun,
  method: Method,
  place: number,
  sizes: ReadonlyMap<string, Size>,
  predictions: ReadonlyMap<string, PaperPrediction>,
): PaperMethod {
  return {
    name: method.name,
    title: method.title,
    get detections() {
      const rows: PaperDetection[] = [];
      const sampled = { sampling: stages.sampling.id, forward: stages.forward.id };
      const frame = analysis.detector.frame ?? PAPER_FRAME;
      for (const found of ledger.scoreRows(run, sampled, [stages.methods[place].score.id])) {
        const size = sizes.get(found.path)!;
        const placement = letterboxPlacement(
          size,
          paperLetterbox(size, frame.width, frame.height),
        );
        const image = nameOf(analysis, found.path, found.sample.idx);
        const { emotion, confidence } = predictions.get(image)!;
        for (const { class: target, box, importance } of found.scores) {
          if (target !== found.predicted) continue;
          const { x0, y0, x1, y1 } = placeRect(placement, box);
          rows.push({
            image,
            emotion,
            emotionConfidence: confidence,
            object: box.label,
            objectConfidence: box.confidence,
            importance,
            box: { left: x0, top: y0, width: x1 - x0, height: y1 - y0 },
          });
        }
      }
      return inReferenceOrder(rows);
    },
  };
}

/** What the analyses call a sample: its image, or one face of it. */
function nameOf({ samples }: Analysis, path: string, idx: number): string {
  return samples === "image" ? path : `${path}#${idx}`;
}
