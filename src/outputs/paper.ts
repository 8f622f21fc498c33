/**
 * From a finished run to the tables of the paper's analyses, `paper/*.csv`.
 *
 * @module
 */

import { UsageError } from "../base/errors.ts";
import type { OwnedFolder } from "../base/owned_folder.ts";
import { headValues } from "../classifier/heads.ts";
import { PAPER_FRAME } from "../attribution/request.ts";
import { writeTable } from "./table.ts";
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
} from "../experiments/paper/mod.ts";
import { placeRect } from "../image/geometry.ts";
import { letterboxPlacement, paperLetterbox } from "../image/letterbox.ts";
import { judgements } from "../corpora/findingemo/annotations.ts";
import type { FinishedMethod, FinishedRun } from "../ledger/finished_run.ts";
import type { Size } from "../image/image.ts";
import type { Output } from "./output.ts";
import { SIMILARITIES, similarityNamed } from "../statistics/similarity/mod.ts";
import { type PaperOptions, paperOptionsOf } from "../experiments/paper/options.ts";
import { defined } from "../base/defined.ts";

/** The output `paper/`, under `--preset paper`. */
export const paper: Output = {
  file: "paper",
  folder: true,
  when: ({ run }) => run.manifest.arguments.preset === "paper",
  names: ({ paper }) => (name) => paper && OWN_TABLE.test(name),
  write: (folder, { run }) => writePaper(folder, run, paperOptionsOf(run.manifest.arguments)),
};
import { flag } from "../base/flag.ts";

/** Names of the tables, as they begin. */
const OWN_TABLE =
  /^paper\/(emotion_object|annotation_object|emotion_annotation|valence|arousal|method|emonet_outputs|yolo_outputs)(_.*)?\.csv$/;

/**
 * Writes the tables of all analyses into a run's folder.
 *
 * @returns what a reader must know, a line each
 */
function writePaper(
  folder: OwnedFolder,
  run: FinishedRun,
  options: PaperOptions,
): readonly string[] {
  const input = paperInput(run);
  const settings = paperSettings(options, run.threshold, run.objects);
  const { tables, notices } = analyses(input, settings);
  const write = ({ name, header, rows }: Table) =>
    writeTable(folder.file(`paper/${name}.csv`), header, rows);
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
    ...unreadNumbers(run),
    ...unknownObjects(options, run),
    ...unmetObjects(input, settings),
    ...options.referenceColumns ? namesakes(input) : [],
    ...input.annotations
      ? []
      : ["no image is annotated: emotion × object and the comparison of methods only"],
  ];
}

/** That numbers of annotations are other text than a number, or a word for none. */
function unreadNumbers(run: FinishedRun): string[] {
  let count = 0, first = "";
  for (const { path, annotation = {} } of run.images()) {
    for (const [name, text] of Object.entries(annotation)) {
      if (!/^(valence|arousal|ambiguity)(\.\d+)?$/.test(name)) continue;
      if (/^\s*(nan|na|n\/a|null|none)?\s*$/i.test(text) || !Number.isNaN(Number(text))) continue;
      if (count++ === 0) first = `${name} of ${path} is ${JSON.stringify(text)}`;
    }
  }
  if (count === 0) return [];
  const those = count === 1
    ? "an annotation that is not a number counts"
    : `${count} annotations that are not numbers count`;
  return [`${those} as absent: ${first}`];
}

/** Names of objects that the detector does not have. */
function unknownObjects(
  { objects = [] }: PaperOptions,
  { objects: labels, manifest: { detector: { name } } }: FinishedRun,
): string[] {
  const unknown = labels
    ? objects.filter((object) => object !== "all" && !labels.includes(object))
    : [];
  if (unknown.length === 0) return [];
  const list = unknown.map((object) => JSON.stringify(object)).join(", ");
  return [`detector ${name} has no class ${list}; it is left out`];
}

/** That none of the objects that are related was detected anywhere, as with boxes from elsewhere under other names. */
function unmetObjects({ methods }: PaperInput, { objects }: PaperSettings): string[] {
  if (objects === "all") return [];
  const met = new Set(methods[0].detections.map(({ object }) => object));
  if (met.size === 0 || objects.some((object) => met.has(object))) return [];
  const [first] = met;
  return [
    `none of the ${objects.length} objects of the analysis was detected (detected: ${
      JSON.stringify(first)
    } …); name others with ${flag("objects")}, or all`,
  ];
}

/** That images have one name in the published code's tables, which goes by folder and file name. */
function namesakes({ predictions }: PaperInput): string[] {
  const groups = Map.groupBy(predictions, ({ image }) => referenceImage(image));
  const shared = [...groups].filter(([, own]) => own.length > 1);
  if (shared.length === 0) return [];
  return [
    `${shared.length} names of images in the reference's columns name several images each (${
      shared[0][0]
    } …), which the published code takes for one`,
  ];
}

/**
 * The settings that options ask for.
 *
 * @param threshold a box is salient over this importance
 * @param labels of the detector, where they are known
 * @throws {UsageError} for a similarity that is not known, and where none, or no object, is named
 */
export function paperSettings(
  options: PaperOptions,
  threshold: number,
  labels: readonly string[] | undefined,
): PaperSettings {
  for (const name of ["similarity", "objects"] as const) {
    if (options[name]?.length !== 0) continue;
    throw new UsageError(`Cannot use ${flag(name)} without a name: give names, or all`);
  }
  const similarities = options.similarity.includes("all")
    ? SIMILARITIES.map(({ name }) => name)
    : [...new Set(options.similarity)].map((name) => similarityNamed(name).name);
  const { objects, annotationObjects } = PAPER_SETTINGS;
  const known = !labels ||
    (objects as readonly string[]).some((name) => labels.includes(name));
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
      importance: threshold,
      emotion: options.emotionConfidence,
      object: options.objectConfidence,
      ambiguity: options.ambiguity,
    },
    convention: options.corrected ? "corrected" : "published",
    ...defined({ leastShare: options.leastShare }),
    columns: options.referenceColumns ? REFERENCE_COLUMNS : COLUMNS,
  };
}

/** The rows of a run. */
export function paperInput(run: FinishedRun): PaperInput {
  const { classes, methods, manifest: { analysis, classifier: { card } } } = run;
  const whole = analysis.samples === "image";
  const sizes = new Map<string, Size>();
  const annotations: Annotation[] = [];
  /** What is said of an image holds for each face that was found in it. */
  const ofFaces = new Map<string, Readonly<Record<string, string>>>();
  for (const { path, status, width, height, annotation } of run.images()) {
    if (width !== undefined && height !== undefined) sizes.set(path, { width, height });
    // What an image shows that could not be read is not known: it is not an image without objects.
    if (!annotation || status !== "ok") continue;
    if (whole) annotations.push(...judgements(path, annotation));
    else ofFaces.set(path, annotation);
  }
  const predictions: PaperPrediction[] = [];
  for (const { path, sample, predicted, probabilities } of run.predictions()) {
    const { valence, arousal } = headValues(card, probabilities);
    const image = nameOf(run, path, sample.idx);
    annotations.push(...judgements(image, ofFaces.get(path) ?? {}));
    predictions.push({
      image,
      emotion: classes[predicted],
      confidence: probabilities[predicted],
      probabilities,
      ...defined({ valence, arousal }),
    });
  }
  const byImage = new Map(predictions.map((prediction) => [prediction.image, prediction]));
  return {
    emotions: classes,
    predictions,
    ...(annotations.length > 0 ? { annotations: withAmbiguity(annotations) } : {}),
    methods: methods.map((method) => methodRows(run, method, sizes, byImage)),
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
  run: FinishedRun,
  method: FinishedMethod,
  sizes: ReadonlyMap<string, Size>,
  predictions: ReadonlyMap<string, PaperPrediction>,
): PaperMethod {
  return {
    name: method.name,
    title: method.title,
    get detections() {
      const rows: PaperDetection[] = [];
      const frame = run.manifest.detector.frame ?? PAPER_FRAME;
      for (const found of run.samples([method])) {
        const size = sizes.get(found.path)!;
        const placement = letterboxPlacement(
          size,
          paperLetterbox(size, frame.width, frame.height),
        );
        const image = nameOf(run, found.path, found.sample.idx);
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
function nameOf({ manifest: { analysis } }: FinishedRun, path: string, idx: number): string {
  return analysis.samples === "image" ? path : `${path}#${idx}`;
}
