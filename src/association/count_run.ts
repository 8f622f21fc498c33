/**
 * A run counted: one accumulator and its matrices a method, and how far the methods agree.
 *
 * @module
 */

import type { FinishedMethod, FinishedRun, FinishedSample } from "../ledger/finished_run.ts";
import { MEASURES } from "../statistics/measures/mod.ts";
import { Accumulator } from "./accumulator.ts";
import { Agreement } from "./agreement.ts";
import { type AssociationMatrix, associationMatrix } from "./matrices.ts";

/** What was counted for one method. */
export interface MethodOutput {
  readonly method: string;
  /** Whether it is a control: a map that explains nothing. */
  readonly control: boolean;
  readonly counts: Accumulator;
  /** One a measure, in the order of `MEASURES`. */
  readonly matrices: readonly AssociationMatrix[];
  /** Scored boxes: a box counts once in each sample that it belongs to. */
  readonly boxes: number;
  /** Scores (box × class) without an importance (NaN). */
  readonly undefinedBoxes: number;
}

/** What was counted for a run. */
export interface RunOutput {
  /** In the order of the run's methods. */
  readonly methods: readonly MethodOutput[];
  /** Of the methods by their places. */
  readonly agreement: Agreement;
}

/**
 * Labels of a detector up to which each has its row, found or not: a detector of a few known parts lists them all; 601 rows of zeros would not
 * help.
 */
export const LISTED_LABELS = 40;

/** Counts of one method, while they are made. */
interface Counting {
  readonly method: FinishedMethod;
  readonly counts: Accumulator;
  boxes: number;
  undefinedBoxes: number;
}

/** Counts a run in one pass over its samples; memory grows with objects and classes, not with images. */
export function countRun(run: FinishedRun): RunOutput {
  const { explained, classes, threshold, methods } = run;
  const counting = new Map(methods.map((method): [FinishedMethod, Counting] => [method, {
    method,
    counts: new Accumulator({
      classes,
      threshold,
      columns: typeof explained === "number" ? [explained] : undefined,
    }),
    boxes: 0,
    undefinedBoxes: 0,
  }]));
  const labels = run.objects && run.objects.length <= LISTED_LABELS ? run.objects : undefined;
  const importances = new BoxImportances(methods);
  for (const sample of run.samples()) {
    importances.add(sample);
    countSample(counting.get(sample.method)!, sample, labels);
  }
  return {
    methods: [...counting.values()].map(({ method, counts, boxes, undefinedBoxes }) => ({
      method: method.name,
      control: method.control,
      counts,
      matrices: Object.values(MEASURES)
        .map((measure) => associationMatrix(counts, measure, method.name)),
      boxes,
      undefinedBoxes,
    })),
    agreement: importances.agreement,
  };
}

function countSample(
  own: Counting,
  { predicted, targets, scores }: FinishedSample,
  labels: readonly string[] | undefined,
): void {
  // A box has a score for each class that is explained.
  own.boxes += new Set(scores.map(({ box }) => box.id)).size;
  own.undefinedBoxes += scores.filter(({ importance }) => Number.isNaN(importance)).length;
  own.counts.add({
    predicted,
    targets,
    scores: scores.map(({ class: target, box: { label }, importance }) => ({
      label,
      class: target,
      importance,
    })),
    ...(labels ? { labels } : {}),
  });
}

/** Importances of the boxes of one sample under all methods, handed on when the last method has come. */
class BoxImportances {
  readonly agreement: Agreement;
  readonly #places: ReadonlyMap<FinishedMethod, number>;
  /** By box and class. */
  #boxes = new Map<string, number[]>();

  constructor(methods: readonly FinishedMethod[]) {
    this.agreement = new Agreement(methods.length);
    this.#places = new Map(methods.map((method, place) => [method, place]));
  }

  add({ method, scores }: FinishedSample): void {
    const place = this.#places.get(method)!, { size } = this.#places;
    for (const { class: target, box, importance } of scores) {
      const key = `${box.id} ${target}`;
      let importances = this.#boxes.get(key);
      if (!importances) this.#boxes.set(key, importances = new Array<number>(size).fill(NaN));
      importances[place] = importance;
    }
    if (place < size - 1) return;
    for (const importances of this.#boxes.values()) this.agreement.add(importances);
    this.#boxes = new Map();
  }
}
