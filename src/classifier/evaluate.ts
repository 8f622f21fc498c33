/**
 * Scores of many inputs, or of many changed activations, in batches of one fixed shape.
 *
 * @module
 */

import { floats, rows, sizeOf, type Tensor } from "../base/tensor.ts";
import { type Session, type SessionValue, toFloats } from "../runtime/session.ts";

/** Scores of M rows. */
export interface Scores {
  /** [M, classes]; absent when the model has no tensor of logits. */
  readonly logits?: Tensor;
  /** [M, classes], 0..1. */
  readonly probabilities: Tensor;
}

/** Bytes of input that one batch of the head takes at most. */
const HEAD_BATCH_BYTES = 32 * 2 ** 20;
/** Rows of one batch of the head at most: beyond this a matrix product gains nothing. */
const HEAD_BATCH_ROWS = 64;

/** Rows in a batch of the head: as many as fit, at least as many as the classifier's own batch. */
export function headBatch(activationSize: number, batch: number): number {
  const fitting = Math.floor(HEAD_BATCH_BYTES / (4 * activationSize));
  return Math.max(batch, Math.min(HEAD_BATCH_ROWS, fitting));
}

/**
 * Runs rows through a session that yields `logits` and `probabilities`, in batches of `batch` rows; the last is padded with
 * zeros, so that a row's scores do not depend on how many there are.
 *
 * @param others further inputs, repeated for every row: each has one row.
 */
export async function evaluateRows(
  session: Session,
  names: { readonly input: string; readonly logits?: string; readonly probabilities: string },
  values: Tensor,
  batch: number,
  others: Readonly<Record<string, Tensor>> = {},
): Promise<Scores> {
  const [count, ...shape] = values.shape as [number, ...number[]];
  const feeds: Record<string, SessionValue> = {};
  for (const [name, value] of Object.entries(others)) feeds[name] = repeatRow(value, batch);
  const logits: Tensor[] = [], probabilities: Tensor[] = [];
  for (let from = 0; from < count; from += batch) {
    const part = rows(values, from, Math.min(count, from + batch));
    feeds[names.input] = padRows(part, batch);
    const results = await session.run(feeds);
    const kept = (value: Tensor) => rows(value, 0, part.shape[0]);
    probabilities.push(kept(await toFloats(results[names.probabilities])));
    if (names.logits) logits.push(kept(await toFloats(results[names.logits])));
  }
  return {
    probabilities: joinRows(probabilities, shape),
    ...(names.logits ? { logits: joinRows(logits, shape) } : {}),
  };
}

/** Appends rows of zeros up to `count` rows. */
export function padRows(value: Tensor, count: number): Tensor {
  const [n, ...rest] = value.shape;
  if (n === count) return value;
  if (n! > count) throw new RangeError(`Cannot run ${n} samples: a batch has ${count}`);
  const data = new Float32Array(count * sizeOf(rest));
  data.set(value.data);
  return floats([count, ...rest], data);
}

/** One row, `count` times. */
export function repeatRow(value: Tensor, count: number): Tensor {
  const data = new Float32Array(count * value.data.length);
  for (let row = 0; row < count; row++) data.set(value.data, row * value.data.length);
  return floats([count, ...value.shape.slice(1)], data);
}

/** The rows of all parts; there is at least one. */
export function joinScores(parts: readonly Scores[]): Scores {
  const [first] = parts as [Scores];
  const logits = parts.map((part) => part.logits).filter((part) => part !== undefined);
  const join = (values: readonly Tensor[]) => joinRows(values, first.probabilities.shape.slice(1));
  return {
    probabilities: join(parts.map((part) => part.probabilities)),
    ...(logits.length > 0 ? { logits: join(logits) } : {}),
  };
}

function joinRows(parts: readonly Tensor[], shape: readonly number[]): Tensor {
  if (parts.length === 0) return floats([0, ...shape], []);
  if (parts.length === 1) return parts[0];
  const rest = parts[0].shape.slice(1);
  const count = parts.reduce((sum, part) => sum + part.shape[0], 0);
  const data = new Float32Array(count * sizeOf(rest));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return floats([count, ...rest], data);
}
