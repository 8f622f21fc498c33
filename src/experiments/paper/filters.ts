/**
 * The paper's filtered tables: which predictions, detections and annotations meet, and which of them count.
 *
 * All thresholds are strict, and NaN passes none: importance > .3, probability of the emotion > .5, confidence of the object > .1,
 * ambiguity < 3.
 *
 * Rows follow one of two conventions. `published` is the published code's, so that its figures can be reproduced:
 * - an image that was annotated k times brings each of its predictions k² times into emotion × annotation and into the valence and
 *   arousal pairs (its list of images is the list of annotations, joined with the annotations once more);
 * - of several rows of one image, emotion and object the first is kept *before* anything is filtered, so that a box that would pass is
 *   lost when a row above it does not (rows come sorted by importance, but boxes below the detector's display threshold count as 0
 *   there: see `inReferenceOrder`);
 * - an image none of whose objects passes is in no vector, which makes base rates conditional on survival.
 *
 * `corrected` does none of this: each annotation meets its image's prediction once, the most important row that passes is kept, and
 * every image whose prediction (or annotation) passes has its place in the vectors.
 *
 * @module
 */

import type { Annotation, PaperDetection, PaperPrediction } from "./rows.ts";

/** What passes. */
export interface PaperFilters {
  /** An object's importance must be above it. */
  readonly importance: number;
  /** The predicted emotion's probability must be above it. */
  readonly emotion: number;
  /** The detector's confidence must be above it. */
  readonly object: number;
  /** An annotation's ambiguity must be below it. */
  readonly ambiguity: number;
}

/** The thresholds of the paper's code. */
export const PAPER_FILTERS: PaperFilters = {
  importance: .3,
  emotion: .5,
  object: .1,
  ambiguity: 3,
};

/** How rows are joined and kept: see the module. */
export type Convention = "published" | "corrected";

/** A detection in the list of images; an image without any has one row without. */
interface ImageDetection {
  readonly image: string;
  readonly detection?: PaperDetection;
}

/** A detection that counts for its image's predicted emotion. */
export interface EmotionObject {
  readonly image: string;
  readonly emotion: string;
  readonly object: string;
}

/** A prediction and an annotation of one image. */
export interface EmotionAnnotation {
  readonly image: string;
  readonly prediction: PaperPrediction;
  readonly annotation: Annotation;
}

/** Rows by image, in order. */
export function byImage<T extends { readonly image: string }>(
  rows: Iterable<T>,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(row.image);
    if (group) group.push(row);
    else groups.set(row.image, [row]);
  }
  return groups;
}

/**
 * The images that the analyses are about: those of the annotations if there are annotations (others are left out, as in the paper),
 * else those of the predictions. Under `published` an image appears there once for each of its annotations.
 */
export function imageList(
  annotations: readonly Annotation[] | undefined,
  predictions: readonly PaperPrediction[],
  convention: Convention,
): readonly string[] {
  const images = (annotations ?? predictions).map(({ image }) => image);
  return annotations && convention === "published" ? images : [...new Set(images)];
}

/** Each image's detections, in the order of the images and of their rows: one row of each image, emotion and object, the first. */
export function uniqueDetections(
  images: readonly string[],
  detections: readonly PaperDetection[],
): ImageDetection[] {
  const groups = byImage(detections);
  const result: ImageDetection[] = [];
  // An image that comes again brings nothing that was not there before.
  for (const image of new Set(images)) {
    const group = groups.get(image);
    if (!group) result.push({ image });
    else {
      const first = firstOfEach(group, ({ emotion, object }) => [emotion, object]);
      result.push(...first.map((detection) => ({ image, detection })));
    }
  }
  return result;
}

/** Predicted emotion and object: the detections that pass importance, emotion and object. */
export function emotionObjects(
  images: readonly string[],
  detections: readonly PaperDetection[],
  filters: PaperFilters,
  convention: Convention,
): EmotionObject[] {
  const passes = ({ emotionConfidence, objectConfidence, importance }: PaperDetection) =>
    emotionConfidence > filters.emotion && objectConfidence > filters.object &&
    importance > filters.importance;
  return uniqueDetections(images, candidates(detections, passes, convention))
    .flatMap(({ image, detection }) =>
      detection && passes(detection)
        ? [{ image, emotion: detection.emotion, object: detection.object }]
        : []
    );
}

/** Annotated emotion and object: ambiguity and object must pass; importance and prediction play no part. */
export function annotationObjects(
  annotations: readonly Annotation[],
  detections: readonly PaperDetection[],
  filters: PaperFilters,
  convention: Convention,
): EmotionObject[] {
  const sure = ({ ambiguity }: Annotation) => ambiguity < filters.ambiguity;
  const passes = ({ objectConfidence }: PaperDetection) => objectConfidence > filters.object;
  const boxes = byImage(candidates(detections, passes, convention));
  const judgements = byImage(
    convention === "published" ? annotations : annotations.filter(sure),
  );
  const result: EmotionObject[] = [];
  for (const image of new Set(annotations.map(({ image }) => image))) {
    const met = (boxes.get(image) ?? []).flatMap((detection) =>
      (judgements.get(image) ?? []).map((annotation) => ({ detection, annotation }))
    );
    const first = firstOfEach(
      met,
      ({ detection, annotation }) => [annotation.emotion, detection.object],
    );
    for (const { detection, annotation } of first) {
      if (sure(annotation) && passes(detection)) {
        result.push({ image, emotion: annotation.emotion, object: detection.object });
      }
    }
  }
  return result;
}

/** Predicted and annotated emotion, valence and arousal: ambiguity and the emotion's probability must pass. */
export function emotionAnnotations(
  annotations: readonly Annotation[],
  predictions: readonly PaperPrediction[],
  filters: PaperFilters,
  convention: Convention,
): EmotionAnnotation[] {
  const predicted = byImage(predictions), annotated = byImage(annotations);
  const result: EmotionAnnotation[] = [];
  for (const image of imageList(annotations, predictions, convention)) {
    for (const prediction of predicted.get(image) ?? []) {
      for (const annotation of annotated.get(image)!) {
        if (annotation.ambiguity < filters.ambiguity && prediction.confidence > filters.emotion) {
          result.push({ image, prediction, annotation });
        }
      }
    }
  }
  return result;
}

/**
 * Detections in the order in which the published code writes them: those of an image by falling `importance`, which counts as 0 where
 * the detector's confidence is below `cutoff` (NaN stays NaN), NaN last. Equal ones keep their order; images keep theirs.
 *
 * @param cutoff the published code's `confidence_thresh`
 */
export function inReferenceOrder(
  detections: readonly PaperDetection[],
  cutoff = .3,
): PaperDetection[] {
  const key = (detection: PaperDetection) => {
    const importance = shownImportance(detection, cutoff);
    return Number.isNaN(importance) ? -Infinity : importance;
  };
  return [...byImage(detections).values()]
    .flatMap((group) => group.toSorted((p, q) => Math.sign(key(q) - key(p)) || 0));
}

/** The published tables' column `importance`: 0 where the detector's confidence is below the cutoff. */
export function shownImportance(detection: PaperDetection, cutoff: number): number {
  return detection.objectConfidence < cutoff ? 0 : detection.importance;
}

/** Rows without the objects that make up at most this share of them (the published code's `remove_outliers`; 0: none of them). */
export function withoutRareObjects<T extends { readonly object: string }>(
  rows: readonly T[],
  share: number,
): T[] {
  const counts = new Map<string, number>();
  for (const { object } of rows) counts.set(object, (counts.get(object) ?? 0) + 1);
  return rows.filter(({ object }) => counts.get(object)! / rows.length > share);
}

/** Which rows may be the first of theirs: all, or, when corrected, those that pass, the most important first. */
function candidates(
  detections: readonly PaperDetection[],
  passes: (detection: PaperDetection) => boolean,
  convention: Convention,
): readonly PaperDetection[] {
  return convention === "published"
    ? detections
    : inReferenceOrder(detections.filter(passes), -Infinity);
}

function firstOfEach<T>(rows: readonly T[], key: (row: T) => readonly string[]): T[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const text = JSON.stringify(key(row));
    return !seen.has(text) && seen.add(text);
  });
}
