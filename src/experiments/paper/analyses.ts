/**
 * The paper's analyses of one corpus: emotion × object, annotation × object, emotion × annotation, valence and arousal, and the
 * comparison of methods. Pure functions of rows; thresholds, names and conventions are settings.
 *
 * @module
 */

import { fisherInterval } from "../../statistics/correlation.ts";
import { similarityMatrix, similarityNamed } from "../../statistics/similarity/mod.ts";
import { allFeatures, type BinaryTable, binaryTable, type FeatureGroup } from "./binary_table.ts";
import {
  annotationObjects,
  type Convention,
  emotionAnnotations,
  type EmotionObject,
  emotionObjects,
  imageList,
  PAPER_FILTERS,
  type PaperFilters,
  withoutRareObjects,
} from "./filters.ts";
import { FINDINGEMO_EMOTIONS, OBJECTS_FOR_ANNOTATIONS, OBJECTS_FOR_PREDICTIONS } from "./lists.ts";
import { compareMethods, lowerTriangle } from "./method_comparison.ts";
import type { Annotation, PaperDetection, PaperPrediction } from "./rows.ts";
import { type ColumnNames, COLUMNS, squareTable, type Table } from "./table.ts";
import { valenceArousal } from "./valence_arousal.ts";

/** One method's view of the corpus. */
export interface PaperMethod {
  /** For names of tables. */
  readonly name: string;
  /** For headers: "GradCAM". */
  readonly title: string;
  /**
   * All detections of all images. Under `published` their order decides which of several boxes of one object counts: see
   * `inReferenceOrder` for rows that no published table gave. It may be a getter that reads them anew: it is asked two or three times
   * before the next method's is.
   */
  readonly detections: readonly PaperDetection[];
}

/** What is analysed. */
export interface PaperInput {
  /** The classifier's emotions, in its order. */
  readonly emotions: readonly string[];
  readonly predictions: readonly PaperPrediction[];
  /** Without them: emotion × object and the comparison of methods only, over all predicted images. */
  readonly annotations?: readonly Annotation[];
  readonly methods: readonly PaperMethod[];
}

/** Names to relate; `"all"`: those that are left after filtering, by code points. */
export type Names = readonly string[] | "all";

/** How it is analysed. */
export interface PaperSettings {
  readonly filters: PaperFilters;
  readonly convention: Convention;
  /** Names of similarity measures; methods are compared by the first. */
  readonly similarities: readonly string[];
  /** Objects that are related to predicted emotions. */
  readonly objects: Names;
  /** Objects that are related to annotated emotions. */
  readonly annotationObjects: Names;
  readonly annotatedEmotions: Names;
  /** Objects that make up at most this share of the filtered rows are left out of emotion × object and annotation × object. */
  readonly leastShare?: number;
  readonly columns: ColumnNames;
}

/** The paper's: `--preset paper`. */
export const PAPER_SETTINGS: PaperSettings = {
  filters: PAPER_FILTERS,
  convention: "published",
  similarities: ["dice"],
  objects: OBJECTS_FOR_PREDICTIONS,
  annotationObjects: OBJECTS_FOR_ANNOTATIONS,
  annotatedEmotions: FINDINGEMO_EMOTIONS,
  columns: COLUMNS,
};

/** What came out. */
export interface PaperResult {
  readonly tables: readonly Table[];
  /** What a reader must know: names that nothing matches, measures that are not defined. One line each. */
  readonly notices: readonly string[];
}

/** Filtered rows and the vectors that they make. */
interface Incidence<Row> {
  readonly rows: readonly Row[];
  readonly table: BinaryTable;
}

/** Predicted emotions and objects over images, by one method: objects first. */
export function emotionObjectIncidence(
  input: PaperInput,
  method: PaperMethod,
  settings: PaperSettings,
): Incidence<EmotionObject> {
  const { filters, convention } = settings;
  const { annotations, predictions } = input;
  const images = imageList(annotations, predictions, convention);
  const rows = frequent(emotionObjects(images, method.detections, filters, convention), settings);
  const known = new Set(images);
  const all = predictions
    .filter(({ image, confidence }) => confidence > filters.emotion && known.has(image))
    .map(({ image, emotion }) => ({ image, feature: emotion }));
  const table = objectTable(rows, settings, settings.objects, input.emotions, all);
  return { rows, table };
}

/** Annotated emotions and objects over images: objects first. The method matters by the order of its rows only. */
export function annotationObjectIncidence(
  annotations: readonly Annotation[],
  method: PaperMethod,
  settings: PaperSettings,
): Incidence<EmotionObject> {
  const { filters, convention } = settings;
  const rows = frequent(
    annotationObjects(annotations, method.detections, filters, convention),
    settings,
  );
  const all = annotations
    .filter(({ ambiguity }) => ambiguity < filters.ambiguity)
    .map(({ image, emotion }) => ({ image, feature: emotion }));
  const emotions = listed(settings.annotatedEmotions, all);
  return { rows, table: objectTable(rows, settings, settings.annotationObjects, emotions, all) };
}

/** Predicted and annotated emotions over images: predicted first. */
export function emotionAnnotationIncidence(
  input: PaperInput & { readonly annotations: readonly Annotation[] },
  settings: PaperSettings,
): Incidence<ReturnType<typeof emotionAnnotations>[number]> {
  const { filters, convention } = settings;
  const rows = emotionAnnotations(input.annotations, input.predictions, filters, convention);
  const predicted = rows.map(({ image, prediction }) => ({ image, feature: prediction.emotion }));
  const annotated = rows.map(({ image, annotation }) => ({ image, feature: annotation.emotion }));
  const table = binaryTable(rows.map(({ image }) => image), [
    { features: input.emotions, marks: predicted },
    { features: listed(settings.annotatedEmotions, annotated), marks: annotated },
  ]);
  return { rows, table };
}

/**
 * All analyses as tables.
 *
 * For each METHOD: `emotion_object_METHOD` (the rows that count) and, with annotations, `annotation_object_METHOD`; once
 * `emotion_annotation`; of each of these `…_binary` (images × features) and `…_MEASURE` (features × features) for each similarity.
 * With annotations `valence`, `arousal` (pairs), `valence_arousal` (coefficients, with Pearson's 95 % interval), `valence_arousal_pearson` and `…_spearman`
 * (4 × 4). With several methods `method_dyads`, `method_spearman` and `method_spearman_p`.
 *
 * @throws {UsageError} when a similarity has no such name
 */
export function analyses(
  input: PaperInput,
  given: PaperSettings = PAPER_SETTINGS,
): PaperResult {
  const settings = given.objects === "all"
    ? { ...given, objects: allObjects(input, given) }
    : given;
  const { columns } = settings;
  const nameOf = (image: string) => columns.imageName?.(image) ?? image;
  const tables: Table[] = [];
  const notices = new Set<string>();
  const empty: string[] = [];
  const dyads: Float64Array[] = [];
  let dyadFeatures: readonly string[] = [];
  const relate = (name: string, table: BinaryTable): Float64Array[] => {
    tables.push(binaryRows(`${name}_binary`, columns, table));
    if (table.images.length === 0) empty.push(name);
    return settings.similarities.map((similarity) => {
      const matrix = similarityMatrix(table.vectors, similarityNamed(similarity));
      if (matrix.reason) notices.add(`${name}: no ${similarity}: ${matrix.reason}`);
      const count = table.features.length;
      tables.push(
        squareTable(
          `${name}_${similarity}`,
          table.features,
          (i, j) => matrix.values[i * count + j],
        ),
      );
      return matrix.values;
    });
  };
  const objectRows = (name: string, emotion: string, { rows, table }: Incidence<EmotionObject>) => {
    const header = [columns.image, emotion, columns.object];
    tables.push({
      name,
      header,
      rows: rows.map(({ image, emotion, object }) => [nameOf(image), emotion, object]),
    });
    return relate(name, table);
  };

  for (const method of input.methods) {
    const found = emotionObjectIncidence(input, method, settings);
    const [first] = objectRows(`emotion_object_${method.name}`, columns.emotion, found);
    dyads.push(lowerTriangle(first!, found.table.features.length));
    dyadFeatures = found.table.features;
    if (input.annotations) {
      const annotated = annotationObjectIncidence(input.annotations, method, settings);
      objectRows(`annotation_object_${method.name}`, columns.annotated, annotated);
    }
  }
  if (input.annotations) {
    const { annotations } = input;
    const { rows, table } = emotionAnnotationIncidence({ ...input, annotations }, settings);
    tables.push({
      name: "emotion_annotation",
      header: [columns.image, columns.emotion, columns.annotated],
      rows: rows.map((row) => [nameOf(row.image), row.prediction.emotion, row.annotation.emotion]),
    });
    relate("emotion_annotation", table);
    tables.push(...valenceArousalTables(rows, columns));
    for (const notice of unlisted(annotations, settings)) notices.add(notice);
  }
  if (input.methods.length > 1) {
    tables.push(...methodTables(input.methods.map(({ title }) => title), dyads, dyadFeatures));
  }
  if (empty.length > 0) notices.add(nothingPasses(empty, settings.filters));
  return { tables, notices: [...notices] };
}

/** The objects that any method leaves: one list for all, so that their matrices can be compared. */
function allObjects(input: PaperInput, settings: PaperSettings): string[] {
  return allFeatures(
    input.methods.flatMap((method) =>
      emotionObjectIncidence(input, method, { ...settings, objects: [] }).rows
        .map(({ image, object }) => ({ image, feature: object }))
    ),
  );
}

function frequent(rows: EmotionObject[], { leastShare }: PaperSettings): EmotionObject[] {
  return leastShare === undefined ? rows : withoutRareObjects(rows, leastShare);
}

/** Objects, then emotions; over the images that have rows, or, when corrected, all that have an emotion that passes. */
function objectTable(
  rows: readonly EmotionObject[],
  { convention }: PaperSettings,
  objects: Names,
  emotions: readonly string[],
  all: readonly { readonly image: string; readonly feature: string }[],
): BinaryTable {
  const marks = rows.map(({ image, object }) => ({ image, feature: object }));
  const published = convention === "published";
  const groups: FeatureGroup[] = [
    { features: listed(objects, marks), marks },
    {
      features: emotions,
      marks: published ? rows.map(({ image, emotion }) => ({ image, feature: emotion })) : all,
    },
  ];
  return binaryTable((published ? rows : all).map(({ image }) => image), groups);
}

function listed(
  names: Names,
  marks: readonly { readonly image: string; readonly feature: string }[],
): readonly string[] {
  return names === "all" ? allFeatures(marks) : names;
}

function binaryRows(
  name: string,
  { image, imageName }: ColumnNames,
  { images, features, vectors }: BinaryTable,
): Table {
  return {
    name,
    header: [image, ...features],
    rows: images.map((
      path,
      row,
    ) => [imageName?.(path) ?? path, ...vectors.map((vector) => vector[row])]),
  };
}

function valenceArousalTables(
  rows: Parameters<typeof valenceArousal>[0],
  { quantities }: ColumnNames,
): Table[] {
  const result = valenceArousal(rows);
  const pairs = (name: string, first: number): Table => ({
    name,
    header: [quantities[first], quantities[first + 1]],
    rows: rows.map((_, row) => [result.columns[first][row], result.columns[first + 1][row]]),
  });
  return [
    pairs("valence", 0),
    pairs("arousal", 2),
    {
      name: "valence_arousal",
      header: [
        "quantity",
        "n",
        "pearson_r",
        "pearson_low",
        "pearson_high",
        "pearson_p",
        "spearman_rho",
        "spearman_p",
      ],
      rows: (["valence", "arousal"] as const).map((quantity) => {
        const { pearson, spearman } = result[quantity];
        const { n, r, p } = pearson;
        return [quantity, n, r, ...fisherInterval(pearson), p, spearman.r, spearman.p];
      }),
    },
    squareTable("valence_arousal_pearson", quantities, (i, j) => result.pearson[i][j]),
    squareTable("valence_arousal_spearman", quantities, (i, j) => result.spearman[i][j]),
  ];
}

function methodTables(
  titles: readonly string[],
  dyads: readonly Float64Array[],
  features: readonly string[],
): Table[] {
  const comparison = compareMethods(dyads);
  const rows = features.flatMap((row, i) => features.slice(0, i).map((column) => [row, column]));
  return [
    {
      name: "method_dyads",
      header: ["row", "column", ...titles],
      rows: rows.map((names, at) => [...names, ...dyads.map((vector) => vector[at])]),
    },
    squareTable("method_spearman", titles, (i, j) => comparison.rho[i][j]),
    squareTable("method_spearman_p", titles, (i, j) => comparison.p[i][j]),
  ];
}

/** That tables have no row, with what would have had to pass. */
function nothingPasses(names: readonly string[], filters: PaperFilters): string {
  return `${
    names.join(", ")
  }: no image passes, so nothing can be related (importance > ${filters.importance}, ` +
    `emotion > ${filters.emotion}, object > ${filters.object}, ambiguity < ${filters.ambiguity})`;
}

/** Annotated emotions that are in no list, and how often. */
function unlisted(
  annotations: readonly Annotation[],
  { annotatedEmotions }: PaperSettings,
): string[] {
  if (annotatedEmotions === "all") return [];
  const counts = new Map<string, number>();
  for (const { emotion } of annotations) {
    if (!annotatedEmotions.includes(emotion)) counts.set(emotion, (counts.get(emotion) ?? 0) + 1);
  }
  if (counts.size === 0) return [];
  const names = [...counts].map(([emotion, count]) => `${JSON.stringify(emotion)} (${count})`);
  return [`annotated emotions that are not in the list and are not counted: ${names.join(", ")}`];
}
