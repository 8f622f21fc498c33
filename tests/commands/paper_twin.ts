/** The paper's analyses once more, slowly: every definition as a loop over the rows of boxes.csv, predictions.csv and the annotations. */

import type { Judged } from "./paper_corpus.ts";

/** What decides. */
export interface TwinSettings {
  readonly importance: number;
  readonly emotion: number;
  readonly object: number;
  readonly ambiguity: number;
  readonly objects: readonly string[] | "all";
  readonly annotationObjects: readonly string[] | "all";
  readonly annotated: readonly string[];
  readonly corrected?: boolean;
  readonly leastShare?: number;
}

type Row = Readonly<Record<string, string>>;

/** The rows of a run. */
export interface TwinInput {
  readonly emotions: readonly string[];
  readonly methods: readonly string[];
  readonly predictions: readonly Row[];
  readonly boxes: readonly Row[];
  readonly annotations: readonly Judged[];
}

/** Rows that count, and which image has which feature. */
export interface TwinTable {
  /** image, emotion, object (or annotated emotion). */
  readonly rows: readonly (readonly string[])[];
  readonly features: readonly string[];
  readonly bits: ReadonlyMap<string, readonly number[]>;
}

interface Candidate {
  readonly image: string;
  readonly emotion: string;
  readonly object: string;
  readonly importance: number;
  readonly passes: boolean;
}

/** Of rows for one image, emotion and object the first; of the rest those that pass. */
function counted(candidates: readonly Candidate[], corrected = false): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates) {
    if (corrected && !candidate.passes) continue;
    const same = kept.some(({ image, emotion, object }) =>
      image === candidate.image && emotion === candidate.emotion && object === candidate.object
    );
    if (!same) kept.push(candidate);
  }
  return kept.filter(({ passes }) => passes);
}

function notRare(rows: readonly Candidate[], share: number | undefined): readonly Candidate[] {
  if (share === undefined) return rows;
  return rows.filter(({ object }) =>
    rows.filter((other) => other.object === object).length / rows.length > share
  );
}

/** A method's boxes, those of each image by falling importance, which is 0 below a confidence of .3, where the code does not show them. */
function boxesOf({ boxes }: TwinInput, method: string): Row[] {
  const key = (row: Row) => {
    const importance = Number(row.confidence) < .3 ? 0 : Number(row.importance);
    return Number.isNaN(importance) ? -1 : importance;
  };
  const own = boxes.filter((row) => row.method === method);
  const images = [...new Set(own.map(({ image }) => image!))];
  return images.flatMap((image) => {
    const left = own.filter((row) => row.image === image);
    const sorted: Row[] = [];
    while (left.length > 0) {
      let best = 0;
      left.forEach((row, i) => {
        if (key(row) > key(left[best])) best = i;
      });
      sorted.push(...left.splice(best, 1));
    }
    return sorted;
  });
}

/** Predicted emotion × object. */
export function twinEmotionObject(
  input: TwinInput,
  method: string,
  settings: TwinSettings,
): TwinTable {
  const { predictions, annotations, emotions } = input;
  const annotated = (image: string) => annotations.some((judged) => judged.image === image);
  const probability = (image: string) =>
    Number(predictions.find((row) => row.image === image)!.probability);
  const found = (name: string): readonly Candidate[] => {
    const candidates = boxesOf(input, name).filter(({ image }) => annotated(image!)).map((row) => ({
      image: row.image!,
      emotion: row.class!,
      object: row.label!,
      importance: Number(row.importance),
      passes: Math.fround(probability(row.image!)) > settings.emotion &&
        Number(row.confidence) > settings.object && Number(row.importance) > settings.importance,
    }));
    return notRare(counted(candidates, settings.corrected), settings.leastShare);
  };
  const rows = found(method);
  const objects = settings.objects === "all"
    ? namesIn(input.methods.flatMap((name) => found(name).map(({ object }) => object)))
    : settings.objects;
  const places = settings.corrected
    ? predictions.filter(({ image }) => annotated(image!) && probability(image!) > settings.emotion)
      .map((row) => ({ image: row.image!, emotion: row.class! }))
    : rows;
  return tableOf(rows, objects, emotions, places);
}

/** Annotated emotion × object. */
export function twinAnnotationObject(
  input: TwinInput,
  method: string,
  settings: TwinSettings,
): TwinTable {
  const { annotations } = input;
  const sure = ({ ambiguity }: Judged) => ambiguity < settings.ambiguity;
  const boxes = boxesOf(input, method);
  const candidates = boxes.flatMap((row) =>
    annotations.filter(({ image }) => image === row.image).map((judged) => ({
      image: judged.image,
      emotion: judged.emotion,
      object: row.label!,
      importance: Number(row.importance),
      passes: sure(judged) && Number(row.confidence) > settings.object,
    }))
  );
  const rows = notRare(counted(candidates, settings.corrected), settings.leastShare);
  const objects = settings.annotationObjects === "all"
    ? namesIn(rows.map(({ object }) => object))
    : settings.annotationObjects;
  return tableOf(
    rows,
    objects,
    settings.annotated,
    settings.corrected ? annotations.filter(sure) : rows,
  );
}

/** Pairs of prediction and annotation, with valence and arousal of both: k² of an image that was annotated k times, corrected k. */
export function twinPairs({ predictions, annotations }: TwinInput, settings: TwinSettings) {
  const pairs: { prediction: Row; judged: Judged }[] = [];
  for (const prediction of predictions) {
    const own = annotations.filter(({ image }) => image === prediction.image);
    if (!(Math.fround(Number(prediction.probability)) > settings.emotion)) continue;
    for (let time = 0; time < (settings.corrected ? 1 : own.length); time++) {
      for (const judged of own) {
        if (judged.ambiguity < settings.ambiguity) pairs.push({ prediction, judged });
      }
    }
  }
  return pairs;
}

/** Predicted emotion × annotated emotion. */
export function twinEmotionAnnotation(input: TwinInput, settings: TwinSettings): TwinTable {
  const pairs = twinPairs(input, settings);
  const bits = new Map<string, number[]>();
  for (const { prediction } of pairs) {
    const own = pairs.filter((other) => other.prediction === prediction);
    bits.set(prediction.image!, [
      ...input.emotions.map((emotion) => emotion === prediction.class ? 1 : 0),
      ...settings.annotated.map((emotion) =>
        own.some(({ judged }) => judged.emotion === emotion) ? 1 : 0
      ),
    ]);
  }
  return {
    rows: pairs.map(({ prediction, judged }) => [judged.image, prediction.class!, judged.emotion]),
    features: [...input.emotions, ...settings.annotated],
    bits,
  };
}

function tableOf(
  rows: readonly Candidate[],
  objects: readonly string[],
  emotions: readonly string[],
  places: readonly { readonly image: string; readonly emotion: string }[],
): TwinTable {
  const bits = new Map<string, number[]>();
  for (const { image } of places) {
    const has = (
      test: (row: { image: string; emotion: string }) => boolean,
      among: typeof places,
    ) => among.some((row) => row.image === image && test(row)) ? 1 : 0;
    bits.set(image, [
      ...objects.map((object) =>
        rows.some((row) => row.image === image && row.object === object) ? 1 : 0
      ),
      ...emotions.map((emotion) => has((row) => row.emotion === emotion, places)),
    ]);
  }
  return {
    rows: rows.map(({ image, emotion, object }) => [image, emotion, object]),
    features: [...objects, ...emotions],
    bits,
  };
}

function namesIn(names: readonly string[]): string[] {
  return [...new Set(names)].sort((a, b) => a < b ? -1 : 1);
}

/** Similarities by their definitions on two features over all images; NaN for 0 / 0. */
export const TWIN_SIMILARITIES: Readonly<
  Record<string, (both: number, first: number, second: number, neither: number) => number>
> = {
  dice: (both, first, second) => 2 * both / (2 * both + first + second),
  jaccard: (both, first, second) =>
    first + second + both === 0 ? 1 : both / (both + first + second),
  hamming: (both, first, second, neither) => (both + neither) / (both + first + second + neither),
};

/** The matrix of a measure, its diagonal 1. */
export function twinMatrix({ features, bits }: TwinTable, measure: string): number[][] {
  const images = [...bits.values()];
  return features.map((_, i) =>
    features.map((_, j) => {
      if (i === j) return 1;
      const count = (a: number, b: number) =>
        images.filter((own) => own[i] === a && own[j] === b).length;
      return TWIN_SIMILARITIES[measure](count(1, 1), count(1, 0), count(0, 1), count(0, 0));
    })
  );
}

/** Pearson's r by its definition. */
export function twinPearson(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const mx = mean(x), my = mean(y);
  const sum = (of: (i: number) => number) => x.reduce((total, _, i) => total + of(i), 0);
  return sum((i) => (x[i] - mx) * (y[i] - my)) /
    Math.sqrt(sum((i) => (x[i] - mx) ** 2) * sum((i) => (y[i] - my) ** 2));
}

/** Ranks from 1; equal values share the mean of theirs. */
export function twinRanks(values: readonly number[]): number[] {
  return values.map((value) =>
    (values.filter((other) => other < value).length * 2 +
      values.filter((other) => other === value).length + 1) / 2
  );
}
