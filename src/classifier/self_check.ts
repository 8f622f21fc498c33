/**
 * What is checked when a classifier sees its first batch: that a sample's scores depend on nothing but the sample.
 *
 * The graph tells much of this beforehand (`onnx/row_dependence.ts`), but not what its operators do with shapes that do not follow, nor
 * what a runtime makes of them. So the first batch is run once more with its first samples in other places and among other neighbours:
 * their scores and activations must be the same, to the last bit where both runs have the same shape, else within
 * {@link CLOSE} of the scores' range. Only where they are not, the batch is run a third time as it was, to tell chance from neighbours.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import { floats, sizeOf, type Tensor } from "../base/tensor.ts";
import { flag } from "../base/flag.ts";

/** Largest difference of two results that are not of the same order of operations, as a part of the scores' range or magnitude. */
export const CLOSE = 1e-5;

/** What a pass gives of each row. */
export interface Results {
  readonly logits?: Tensor;
  readonly probabilities: Tensor;
  /** Left out where it would have to be brought from a GPU. */
  readonly activation?: Tensor;
}

/** A model's first batch. */
export interface FirstBatch {
  /** Of the model, for messages. */
  readonly name: string;
  readonly classes: readonly string[];
  /** [batch, C, H, W]; rows from `count` on are padding. */
  readonly input: Tensor;
  readonly count: number;
  readonly results: Results;
  /** Whether equal shapes give equal bits. */
  readonly exact: boolean;
  /** Runs the model on a batch as the first one was run. */
  run(input: Tensor): Promise<Results>;
  /**
   * Where rows were run one at a time: runs them together. `undefined` where the model cannot do that, and so mixes nothing.
   */
  together?(input: Tensor): Promise<Results | undefined>;
}

/**
 * Checks a first batch, with one more pass where all is well and two where it is not.
 *
 * @throws {ModelError} naming two values that differ.
 */
export async function checkFirstBatch(first: FirstBatch): Promise<void> {
  const { input, count } = first;
  const { shape: [batch] } = input;
  const run = first.together ?? first.run;
  const kept = Math.ceil(count / 2);
  const others = batch === 1
    ? undefined
    : await run(amongOthers(input, count, kept, (row) => batch - 1 - row));
  const exact = first.exact && !first.together;
  const found = others &&
    firstDifference(first, others, kept, (row) => batch - 1 - row, exact ? 0 : CLOSE);
  if (others && !found) return;
  const same = await first.run(input);
  const chance = firstDifference(first, same, count, (row) => row, first.exact ? 0 : CLOSE);
  if (chance) {
    throw new ModelError(
      `Cannot use model ${first.name}: its results depend on chance: in two runs of the same batch ${
        shown(chance)
      }; export it for inference (model.eval() in PyTorch)`,
    );
  }
  if (!found) return;
  throw new ModelError(
    `Cannot use model ${first.name}: a sample's results depend on the other samples of its batch: ${
      shown(found)
    } ${
      count === 1 || first.together ? "alone and among others" : "among different samples"
    }; export it for inference (model.eval() in PyTorch), or give ${flag("batch")} 1`,
  );
}

/**
 * The rows below `kept` in other places, and among samples that are new: the batch's own, reversed, scaled and shifted, so that sums,
 * extrema and orders along the batch are others, also where there is one sample, or they are all alike.
 */
function amongOthers(
  input: Tensor,
  count: number,
  kept: number,
  placeOf: (row: number) => number,
): Tensor {
  const { shape } = input;
  const [batch, ...rest] = shape;
  const size = sizeOf(rest);
  const changed = new Float32Array(batch * size);
  for (let place = 0; place < batch - kept; place++) {
    const values = rowOf(input, place % count);
    const greatest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    const scale = 0.4 + 1.1 * (place + 1) / batch, shift = 0.1 * greatest * (place + 1) / batch;
    for (let i = 0; i < size; i++) {
      changed[place * size + i] = scale * values[size - 1 - i] + shift;
    }
  }
  for (let row = 0; row < kept; row++) changed.set(rowOf(input, row), placeOf(row) * size);
  return floats(shape, changed);
}

/** Two values of one thing. */
interface Difference {
  /** In words. */
  readonly what: string;
  readonly before: number;
  readonly after: number;
}

function shown({ what, before, after }: Difference): string {
  // As many digits as tell any two float32 apart.
  const digits = (value: number) => Number(value.toPrecision(9));
  return `${what} is ${digits(before)} and ${digits(after)}`;
}

/** The first value that is another in the second pass, of the first `count` rows, which it has in other places. */
function firstDifference(
  { input, results, classes }: FirstBatch,
  again: Results,
  count: number,
  placeOf: (row: number) => number,
  tolerance: number,
): Difference | undefined {
  const parts = [
    ["logits", (k: number) => `the logit of ${classes[k]}`],
    ["probabilities", (k: number) => `the probability of ${classes[k]}`],
    ["activation", (k: number) => `element ${k} of the activation`],
  ] as const;
  for (const [name, wordsOf] of parts) {
    const a = results[name], b = again[name];
    // Activations can have other rows than samples, as windows.
    if (!a || !b || a.shape[0] !== input.shape[0]) continue;
    for (let row = 0; row < count; row++) {
      const before = rowOf(a, row), after = rowOf(b, placeOf(row));
      const at = differentAt(before, after, tolerance);
      if (at >= 0) return { what: wordsOf(at), before: before[at], after: after[at] };
    }
  }
  return undefined;
}

function rowOf({ data, shape }: Tensor, row: number): Float32Array {
  const size = data.length / shape[0];
  return data.subarray(row * size, (row + 1) * size);
}

/**
 * Where two rows differ most, if they differ by more than a part of the first one's range or magnitude; -1 where they do not. NaN
 * equals NaN only.
 */
export function differentAt(a: Float32Array, b: Float32Array, tolerance: number): number {
  let low = Infinity, high = -Infinity, most = 0;
  for (const value of a) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
    most = Math.max(most, Math.abs(value));
  }
  const limit = tolerance * Math.max(most, high - low, 0);
  let at = -1, largest = limit;
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
    const difference = Math.abs(a[i] - b[i]);
    if (Number.isNaN(difference)) return i;
    if (difference > largest) [at, largest] = [i, difference];
  }
  return at;
}

/** How far sums of rounded numbers may be from 1 or 100. */
const SUM_TOLERANCE = 1e-4;

/**
 * Refuses scores that are not what they were taken for: logits that none of its samples has below 0, and whose sum is 1 or 100 in each,
 * are probabilities or percentages; probabilities over 1 are none.
 *
 * @param assumed whether nothing but the lack of a softmax said that they are logits
 * @throws {ModelError} naming the sum or the value.
 */
export function checkScale(
  { name, classes, count, results: { logits, probabilities } }: FirstBatch,
  assumed: boolean,
): void {
  if (assumed && logits && classes.length > 1) {
    for (
      const [sum, what, advice] of [
        [1, "probabilities", 'write "output": {"kind": "probabilities"} in its card'],
        [100, "percentages", "export it without the factor 100"],
      ] as const
    ) {
      if (!everyRowSumsTo(logits, count, sum)) continue;
      throw new ModelError(
        `Cannot use model ${name}: its scores were taken for logits, but none is negative and those of each sample sum to ${sum}, as ${what} do; ${advice}`,
      );
    }
  }
  const { data, shape } = probabilities;
  const used = data.subarray(0, count * shape[1]);
  const bad = used.findIndex((p) => p < -SUM_TOLERANCE || p > 1 + SUM_TOLERANCE);
  if (bad < 0) return;
  throw new ModelError(
    `Cannot use model ${name}: the probability of ${classes[bad % shape[1]]} is ${
      used[bad]
    }, not a number from 0 to 1; correct output.kind in its card`,
  );
}

function everyRowSumsTo(logits: Tensor, count: number, wanted: number): boolean {
  return Array.from({ length: count }, (_, row) => rowOf(logits, row)).every((scores) =>
    scores.every((score) => score >= 0) &&
    Math.abs(scores.reduce((a, b) => a + b, 0) - wanted) <= SUM_TOLERANCE * wanted
  );
}
