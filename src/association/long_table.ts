/**
 * A finished run as columns of numbers: the one table that everything statistical is computed from.
 *
 * It is the only part of the statistics whose memory grows with the corpus: 8 bytes a box, and 4 more for each method (and class, where all are explained).
 *
 * @module
 */

import { compareCodePoints } from "../base/code_points.ts";
import type { FinishedMethod, FinishedRun, FinishedSample } from "../ledger/finished_run.ts";
import { LISTED_LABELS } from "./count_run.ts";

/**
 * Samples, their boxes and importances. Images, samples and boxes are in the run's order; samples and boxes are slices of the columns:
 * the samples of image i are `firstSample[i] … firstSample[i + 1] − 1`, the boxes of sample s are `firstBox[s] … firstBox[s + 1] − 1`.
 */
export interface LongTable {
  /** All classes of the classifier. */
  readonly classes: readonly string[];
  /** Indices of the classes that have a cell with each object: all, or the one that the run explains. */
  readonly columns: readonly number[];
  /** Labels of objects, by code point. */
  readonly objects: readonly string[];
  readonly methods: readonly FinishedMethod[];
  /**
   * Maps that each box was scored under: 1 (of the class that the run explains in the sample), or one for each class, in their order.
   */
  readonly layers: number;
  /** Paths of the images that have samples. */
  readonly images: readonly string[];
  /** Their places in the run. */
  readonly ordinal: Int32Array;
  /** Images whose bytes equal those of an earlier one, and which were left out therefore: they are no further observations. */
  readonly copies: number;
  readonly firstSample: Int32Array;
  /** Index of the predicted class, a sample. */
  readonly predicted: Int32Array;
  /** Probability of the predicted class, 0..1. */
  readonly probability: Float32Array;
  readonly firstBox: Int32Array;
  /** Index of the object, a box. */
  readonly object: Int32Array;
  /** Confidence of the detector, 0..1; NaN where it gives none. */
  readonly confidence: Float32Array;
  /** A method's importances, by box and layer: `importance[m][box * layers + layer]`; NaN where there is none. */
  readonly importance: readonly Float32Array[];
}

/** Reads a run into a table. */
export function readLongTable(run: FinishedRun): LongTable {
  const { classes, explained, methods } = run;
  const layers = explained === "all" ? classes.length : 1;
  const copied = new Set(run.duplicates().flatMap(({ paths }) => paths.slice(1)));
  const known = run.objects && run.objects.length <= LISTED_LABELS ? run.objects : [];
  const labels = new Map<string, number>();
  const idOf = (label: string) => {
    const own = labels.get(label);
    if (own !== undefined) return own;
    labels.set(label, labels.size);
    return labels.size - 1;
  };
  known.forEach(idOf);
  const images: string[] = [];
  const ordinal = new Column(Int32Array), firstSample = new Column(Int32Array);
  const predicted = new Column(Int32Array), probability = new Column(Float32Array);
  const firstBox = new Column(Int32Array), object = new Column(Int32Array);
  const confidence = new Column(Float32Array);
  const importance = methods.map(() => new Column(Float32Array));
  const places = new Map(methods.map((method, place) => [method, place]));
  const probabilityOf = probabilities(run);
  /** Box id → its place among the boxes of the sample. */
  let boxes = new Map<number, number>();
  let first = 0, lastOrdinal = -1;

  const open = (sample: FinishedSample) => {
    if (sample.ordinal !== lastOrdinal) {
      images.push(sample.path);
      ordinal.push(sample.ordinal);
      firstSample.push(predicted.length);
      lastOrdinal = sample.ordinal;
    }
    predicted.push(sample.predicted);
    probability.push(probabilityOf(sample.ordinal, sample.sample.id));
    firstBox.push(object.length);
    first = object.length;
    boxes = new Map();
    for (const { box } of sample.scores) {
      if (boxes.has(box.id)) continue;
      boxes.set(box.id, boxes.size);
      object.push(idOf(box.label));
      confidence.push(box.confidence);
    }
    for (const column of importance) column.fill(boxes.size * layers, NaN);
  };

  for (const sample of run.samples()) {
    if (copied.has(sample.path)) continue;
    const place = places.get(sample.method)!;
    if (place === 0) open(sample);
    for (const { class: target, box, importance: value } of sample.scores) {
      const own = boxes.get(box.id);
      if (own === undefined) continue;
      importance[place].set((first + own) * layers + (layers > 1 ? target : 0), value);
    }
  }
  firstSample.push(predicted.length);
  firstBox.push(object.length);
  const { objects, renumber } = sorted([...labels.keys()]);
  const ids = object.take();
  for (let i = 0; i < ids.length; i++) ids[i] = renumber[ids[i]];
  return {
    classes,
    columns: typeof explained === "number" ? [explained] : [...classes.keys()],
    objects,
    methods,
    layers,
    images,
    ordinal: ordinal.take(),
    copies: copied.size,
    firstSample: firstSample.take(),
    predicted: predicted.take(),
    probability: probability.take(),
    firstBox: firstBox.take(),
    object: ids,
    confidence: confidence.take(),
    importance: importance.map((column) => column.take()),
  };
}

/** The layer under whose map a box counts for a class. */
export function layerOf({ layers }: Pick<LongTable, "layers">, target: number): number {
  return layers > 1 ? target : 0;
}

/** Probabilities of predicted classes, asked for in the run's order. */
function probabilities(run: FinishedRun): (ordinal: number, sample: number) => number {
  const rows = run.predictions();
  return (ordinal, sample) => {
    for (;;) {
      const { done, value } = rows.next();
      if (done) return NaN;
      if (value.ordinal === ordinal && value.sample.id === sample) {
        return value.probabilities[value.predicted];
      }
    }
  };
}

/** Labels by code point, and the new place of each old one. */
function sorted(labels: readonly string[]): { objects: string[]; renumber: Int32Array } {
  const order = [...labels.keys()].sort((i, j) => compareCodePoints(labels[i], labels[j]));
  const renumber = new Int32Array(labels.length);
  order.forEach((old, place) => renumber[old] = place);
  return { objects: order.map((old) => labels[old]), renumber };
}

type Numbers = Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** A column that grows. */
class Column<T extends Numbers> {
  readonly #type: new (length: number) => T;
  #values: T;
  length = 0;

  constructor(type: new (length: number) => T) {
    this.#type = type;
    this.#values = new type(1024);
  }

  push(value: number): void {
    this.#reserve(1);
    this.#values[this.length++] = value;
  }

  fill(count: number, value: number): void {
    this.#reserve(count);
    this.#values.fill(value, this.length, this.length + count);
    this.length += count;
  }

  set(at: number, value: number): void {
    this.#values[at] = value;
  }

  take(): T {
    return this.#values.slice(0, this.length) as T;
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#values.length) return;
    const larger = new this.#type(Math.max(2 * this.#values.length, this.length + count));
    larger.set(this.#values);
    this.#values = larger;
  }
}
