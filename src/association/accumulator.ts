/**
 * Counting a corpus into object × class cells, exactly: whatever the order of the samples, the size of batches or the number of
 * shards, the result is the same to the last byte, and merging is addition.
 *
 * The unit is the sample. For object o (a label) and class k:
 *
 * - o is *salient* in a sample for k when some box of o has an importance over the threshold (strictly) under the map of k, or, where k's
 *   own map was not computed for the sample, under the map of the predicted class;
 * - a = samples with k predicted and o salient, b = o salient and another class predicted, c = k predicted and o not salient,
 *   d = neither, n = all; several boxes of o in a sample count once;
 * - boxes, sum = number and total importance of the boxes of o under maps of class k, each box by itself. So where only predicted
 *   classes have maps, they come from the samples predicted k.
 *
 * A box whose importance is NaN is never salient and is in neither boxes nor sum; it is counted in `nan`. Importance is rounded to a
 * multiple of 2^−24 (a float32 in [0.5, 1] is one exactly) and summed in integers.
 *
 * @module
 */

import { compareCodePoints } from "../base/code_points.ts";
import type { Cell } from "../statistics/measures/measure.ts";

/** Units of an importance sum in 1. */
const SCALE = 2 ** 24;

/** What an accumulator counts; only accumulators of equal settings can be merged. */
export interface AccumulatorSettings {
  /** All classes of the classifier, in its order. */
  readonly classes: readonly string[];
  /** A box over this is salient (strictly). */
  readonly threshold: number;
  /** Indices of the classes that cells are kept for, ascending: all (the default), or the one class a run explains. */
  readonly columns?: readonly number[] | undefined;
}

/** The importance of one box under the map of one class. */
export interface LabelledImportance {
  readonly label: string;
  /** Index of the class whose map it is; one of the sample's targets. */
  readonly class: number;
  /** NaN: could not be said. */
  readonly importance: number;
}

/** What is counted of one sample. */
export interface CountedSample {
  /** Index of the predicted class. */
  readonly predicted: number;
  /** Indices of the classes whose maps were computed. */
  readonly targets: readonly number[];
  readonly scores: readonly LabelledImportance[];
  /** Labels to list even without a scored box. */
  readonly labels?: Iterable<string> | undefined;
}

/** An accumulator as JSON. Integers only, but for the threshold. */
interface AccumulatorJson {
  readonly format: "emocam accumulator 1";
  readonly classes: readonly string[];
  readonly columns: readonly number[];
  readonly threshold: number;
  readonly samples: number;
  /** Samples by predicted class. */
  readonly predicted: readonly number[];
  /** By code point of the label; each list has one number a column. */
  readonly objects: readonly ObjectJson[];
}

/** The counts of one object, one number a column. */
interface ObjectJson {
  readonly label: string;
  /** Samples with the object salient and the class predicted (a). */
  readonly both: readonly number[];
  /** Samples with the object salient and another class predicted (b). */
  readonly other: readonly number[];
  readonly boxes: readonly number[];
  /** Importance, in units of 2^−24. */
  readonly sum: readonly number[];
  /** Boxes whose importance is NaN. */
  readonly nan: readonly number[];
}

const COUNTS = ["both", "other", "boxes", "sum", "nan"] as const;
type ObjectCounts = Record<typeof COUNTS[number], Float64Array>; // whole numbers up to 2^53

/** Counts of a corpus by object and class; see the module's head for every definition. */
export class Accumulator {
  readonly classes: readonly string[];
  readonly columns: readonly number[];
  readonly threshold: number;
  #samples = 0;
  readonly #predicted: Float64Array;
  readonly #objects = new Map<string, ObjectCounts>();
  /** Class → column, or −1. */
  readonly #columnOf: Int32Array;

  /** @throws {RangeError} for a threshold that is not finite or columns that are not ascending class indices. */
  constructor({ classes, threshold, columns = classes.keys().toArray() }: AccumulatorSettings) {
    if (!Number.isFinite(threshold)) {
      throw new RangeError(`Cannot count with the threshold ${threshold}`);
    }
    columns.forEach((column, at) => {
      if (!(column in classes) || (at > 0 && column <= columns[at - 1])) {
        throw new RangeError(
          `Cannot keep columns ${columns}: not ascending indices of ${classes.length} classes`,
        );
      }
    });
    this.classes = [...classes];
    this.columns = [...columns];
    this.threshold = threshold;
    this.#predicted = new Float64Array(classes.length);
    this.#columnOf = new Int32Array(classes.length).fill(-1);
    columns.forEach((column, at) => this.#columnOf[column] = at);
  }

  /** Number of samples added. */
  get samples(): number {
    return this.#samples;
  }

  /** The objects met, by code point. */
  get objects(): string[] {
    return [...this.#objects.keys()].sort(compareCodePoints);
  }

  /**
   * Counts one sample.
   *
   * @throws {RangeError} for a class out of range, a score of a class that is not a target, an infinite importance, or when a column has
   *   neither its own map nor that of the predicted class. Nothing is counted then.
   */
  add(sample: CountedSample): void {
    const { predicted } = sample;
    const targets = new Set(sample.targets);
    this.#check(sample, targets);
    this.#samples++;
    this.#predicted[predicted]++;
    for (const label of sample.labels ?? []) this.#counts(label);

    /** Labels that are salient under the map of each target. */
    const salient = new Map<number, Set<string>>();
    for (const { label, class: target, importance } of sample.scores) {
      const counts = this.#counts(label);
      const column = this.#columnOf[target];
      if (Number.isNaN(importance)) {
        if (column >= 0) counts.nan[column]++;
        continue;
      }
      if (column >= 0) {
        counts.boxes[column]++;
        addExactly(counts.sum, column, Math.round(importance * SCALE));
      }
      if (importance > this.threshold) {
        const labels = salient.get(target);
        if (labels) labels.add(label);
        else salient.set(target, new Set([label]));
      }
    }
    for (const [column, target] of this.columns.entries()) {
      const labels = salient.get(targets.has(target) ? target : predicted);
      const kind = target === predicted ? "both" : "other";
      for (const label of labels ?? []) this.#counts(label)[kind][column]++;
    }
  }

  /**
   * Adds all that another accumulator has counted.
   *
   * @throws {RangeError} when its settings differ.
   */
  merge(other: Accumulator): void {
    const [mine, theirs] = [this, other].map(({ classes, columns, threshold }) =>
      JSON.stringify({ classes, columns, threshold })
    );
    if (mine !== theirs) {
      throw new RangeError(`Cannot merge counts of different settings: ${mine} and ${theirs}`);
    }
    this.#samples += other.#samples;
    other.#predicted.forEach((count, at) => this.#predicted[at] += count);
    for (const [label, theirCounts] of other.#objects) {
      const counts = this.#counts(label);
      for (const kind of COUNTS) {
        theirCounts[kind].forEach((count, column) => addExactly(counts[kind], column, count));
      }
    }
  }

  /** The cell of an object and a class (its index); `undefined` for a class without a column. An object never met has no boxes. */
  cell(label: string, target: number): Cell | undefined {
    const column = this.#columnOf[target] ?? -1;
    if (column < 0) return undefined;
    const counts = this.#objects.get(label);
    const n = this.#samples, predicted = this.#predicted[target];
    const a = counts?.both[column] ?? 0, b = counts?.other[column] ?? 0;
    return {
      a,
      b,
      c: predicted - a,
      d: n - predicted - b,
      n,
      boxes: counts?.boxes[column] ?? 0,
      sum: (counts?.sum[column] ?? 0) / SCALE,
    };
  }

  /** Boxes of an object under maps of a class whose importance is NaN. */
  nan(label: string, target: number): number {
    return this.#objects.get(label)?.nan[this.#columnOf[target] ?? -1] ?? 0;
  }

  /** Samples that a class was predicted for. */
  predicted(target: number): number {
    return this.#predicted[target] ?? 0;
  }

  /** All counts; the same corpus gives the same text whatever the order it was counted in. */
  toJSON(): AccumulatorJson {
    return {
      format: "emocam accumulator 1",
      classes: this.classes,
      columns: this.columns,
      threshold: this.threshold,
      samples: this.#samples,
      predicted: [...this.#predicted],
      objects: this.objects.map((label) => {
        const { both, other, boxes, sum, nan } = this.#objects.get(label)!;
        return {
          label,
          both: [...both],
          other: [...other],
          boxes: [...boxes],
          sum: [...sum],
          nan: [...nan],
        };
      }),
    };
  }

  /**
   * The accumulator that {@linkcode Accumulator.toJSON} wrote.
   *
   * @throws {SyntaxError} when it is another thing, or holds lists of wrong length or numbers that are not whole.
   */
  static fromJSON(json: AccumulatorJson): Accumulator {
    if (json?.format !== "emocam accumulator 1") {
      throw new SyntaxError(`Cannot read the counts: format ${JSON.stringify(json?.format)}`);
    }
    const accumulator = new Accumulator(json);
    accumulator.#samples = json.samples;
    accumulator.#predicted.set(whole(json.predicted, json.classes.length));
    for (const object of json.objects) {
      const counts = accumulator.#counts(object.label);
      for (const kind of COUNTS) counts[kind].set(whole(object[kind], json.columns.length));
    }
    return accumulator;
  }

  #check({ predicted, scores }: CountedSample, targets: ReadonlySet<number>): void {
    for (const index of [predicted, ...targets]) {
      if (!(index in this.classes)) {
        throw new RangeError(
          `Cannot count the sample: class ${index}, but there are ${this.classes.length}`,
        );
      }
    }
    const missing = targets.has(predicted) ? undefined : this.columns.find((k) => !targets.has(k));
    if (missing !== undefined) {
      throw new RangeError(
        `Cannot count the sample for ${
          this.classes[missing]
        }: there is a map neither of it nor of the ` +
          `predicted class ${this.classes[predicted]}`,
      );
    }
    for (const { label, class: target, importance } of scores) {
      if (!targets.has(target)) {
        throw new RangeError(
          `Cannot count the score of ${label}: class ${target} is not one of the targets ${[
            ...targets,
          ]}`,
        );
      }
      if (Math.abs(importance) === Infinity) {
        throw new RangeError(`Cannot count the score of ${label}: importance ${importance}`);
      }
    }
  }

  #counts(label: string): ObjectCounts {
    let counts = this.#objects.get(label);
    if (!counts) {
      const none = () => new Float64Array(this.columns.length);
      counts = { both: none(), other: none(), boxes: none(), sum: none(), nan: none() };
      this.#objects.set(label, counts);
    }
    return counts;
  }
}

/** Adds in whole numbers. @throws {RangeError} where a sum would not be exact any more (a cell with over 5·10^8 boxes). */
function addExactly(values: Float64Array, at: number, value: number): void {
  const sum = values[at] + value;
  if (!Number.isSafeInteger(sum)) {
    throw new RangeError(`Cannot count exactly: a sum reached ${sum}`);
  }
  // + 0: a rounded −0 must not make a sum −0, which JSON would not keep
  values[at] = sum + 0;
}

function whole(values: readonly number[], length: number): readonly number[] {
  if (values?.length !== length || !values.every(Number.isSafeInteger)) {
    throw new SyntaxError(
      `Cannot read the counts: ${JSON.stringify(values)}, not ${length} whole numbers`,
    );
  }
  return values;
}
