/**
 * Scores under masks of channels: what Ablation-CAM, LIME, Kernel SHAP and Shapley sampling ask for.
 *
 * @module
 */

import { floats, rows, type Tensor } from "../base/tensor.ts";
import { type ChannelwiseReach, channelwiseReach } from "../onnx/channelwise.ts";
import { type SessionValue, toFloats } from "../runtime/session.ts";
import {
  BASE,
  CONTRIBUTIONS,
  contributionsGraph,
  MASKS,
  type ProductShape,
  productShape,
  tailGraph,
} from "./channel_contributions.ts";
import type { Classifier, Forward } from "./classifier.ts";
import { joinScores, padRows, repeatRow, type Scores } from "./evaluate.ts";
import { steadyRows, unsteadyOps } from "./batch_invariance.ts";
import { readFloats, rowOf } from "./values.ts";

/** Contributions of one batch, or of one sample where those of a batch are too many, in floats: 128 MiB. */
const CONTRIBUTIONS_BUDGET = 2 ** 25;
/** Sums of contributions that one run of the tail makes, in floats: 8 MiB. */
const SUMS_BUDGET = 2 ** 21;

/** How the scores under masks are computed: by sums of contributions, or by the head, and why. */
type MaskWay =
  | { readonly kind: "sums"; readonly reach: ChannelwiseReach; readonly made: ProductShape }
  | { readonly kind: "head"; readonly reason: string };

const ways = new WeakMap<Classifier, MaskWay>();

/**
 * The way for a classifier: sums of contributions where everything between the target layer and the first product acts channel
 * by channel, else the head on masked activations. Both give the same scores up to rounding.
 */
export function maskWay(classifier: Classifier): MaskWay {
  let found = ways.get(classifier);
  if (!found) ways.set(classifier, found = findWay(classifier));
  return found;
}

function findWay({ graphs: { head, layer }, layer: { channels } }: Classifier): MaskWay {
  const reach = channelwiseReach(head, layer);
  if ("reason" in reach) return { kind: "head", reason: reach.reason };
  const made = productShape(head, reach);
  const name = reach.product.outputs[0];
  if (!made) return { kind: "head", reason: `the shape of ${name} is open` };
  return made.size * channels > CONTRIBUTIONS_BUDGET
    ? { kind: "head", reason: `the contributions to ${name} need too much memory` }
    : { kind: "sums", reach, made };
}

/**
 * Scores of one sample with some channels of the target layer set to 0, M masks at once.
 *
 * With the shortcut each channel's contribution to the first product is computed once for a batch, masks become one small
 * matrix product, and only what follows the product runs for every mask. It is exact: rounding aside, the scores are
 * those of the head on the masked activation.
 *
 * Scores can depend in their last digits on M: compare scores of one call.
 *
 * @param row the sample's place in the batch
 * @param masks [M, C]: 1 keeps a channel, 0 sets it to 0
 * @returns M rows of scores
 * @throws {RangeError} when the masks do not fit the layer.
 */
export async function maskedScores(
  classifier: Classifier,
  forward: Forward,
  row: number,
  masks: Uint8Array,
): Promise<Scores> {
  const { channels } = classifier.layer;
  if (masks.length === 0 || masks.length % channels !== 0) {
    throw new RangeError(
      `Cannot use ${masks.length} mask values: the layer has ${channels} channels`,
    );
  }
  const way = maskWay(classifier);
  if (way.kind === "sums") {
    const found = await contributionsOf(classifier, forward, row, way);
    // A function without a finite value at 0 has no contributions.
    if (found.base.data.every(Number.isFinite)) {
      return await sumScores(classifier, forward, row, masks, way, found);
    }
  }
  return await headScores(classifier, forward, row, masks);
}

type Sums = MaskWay & { kind: "sums" };

/** Of one sample: [C, F] and [1, F]. */
interface Contributions {
  readonly contributions: Tensor;
  readonly base: Tensor;
}

/** The last run of contributions for each batch, by its first row: they can take as much memory as the model. */
const lastRuns = new WeakMap<Forward, { first: number; run: Promise<Contributions> }>();

async function contributionsOf(
  classifier: Classifier,
  forward: Forward,
  row: number,
  way: Sums,
): Promise<Contributions> {
  const { size } = way.made;
  const { channels } = classifier.layer;
  const each = channels * size;
  const together = rowsTogether(classifier, way);
  const first = Math.floor(row / together) * together;
  let last = lastRuns.get(forward);
  if (last?.first !== first) {
    last = { first, run: runContributions(classifier, forward, way, first, together) };
    lastRuns.set(forward, last);
  }
  const { contributions, base } = await last.run;
  const at = row - first;
  const own = base.shape[0] === 1 ? 0 : at;
  return {
    contributions: floats(
      [channels, size],
      contributions.data.subarray(at * each, (at + 1) * each),
    ),
    base: rows(base, own, own + 1),
  };
}

/** How many samples one run of contributions takes: a whole batch where memory allows, and never so that rows differ. */
function rowsTogether({ batch, layer, backend, graphs }: Classifier, { made }: Sums): number {
  if (made.batch !== undefined) return made.batch;
  if (backend === "native" && unsteadyOps(steadyRows(graphs.head)).length > 0) return 1;
  const fitting = Math.floor(CONTRIBUTIONS_BUDGET / (layer.channels * made.size));
  return Math.min(batch, fitting);
}

async function runContributions(
  { session, graphs: { head, layer }, batch }: Classifier,
  forward: Forward,
  { reach, made }: Sums,
  first: number,
  count: number,
): Promise<Contributions> {
  const open = await session(
    "channel contributions",
    () => steadyRows(contributionsGraph(head, layer, reach, made)),
  );
  const given = { [layer]: forward.activation, ...forward.bypass };
  const feeds: Record<string, Tensor> = {};
  for (const name of open.inputs) {
    feeds[name] = rows(await readFloats(given[name]), first, Math.min(batch, first + count));
  }
  const results = await open.run(feeds);
  return {
    contributions: await toFloats(results[CONTRIBUTIONS]),
    base: await toFloats(results[BASE]),
  };
}

/** Runs the tail on sums of contributions, in parts of one size. */
async function sumScores(
  { session, graphs, layer: { channels } }: Classifier,
  forward: Forward,
  row: number,
  masks: Uint8Array,
  { reach, made }: Sums,
  { contributions, base }: Contributions,
): Promise<Scores> {
  const open = await session(
    "sums of channel contributions",
    () => tailGraph(graphs.head, graphs.layer, reach, made),
  );
  const count = masks.length / channels;
  const parts = Math.ceil(count / Math.max(1, Math.floor(SUMS_BUDGET / made.size)));
  const size = made.batch ?? Math.ceil(count / parts);
  const feeds: Record<string, Tensor> = { [CONTRIBUTIONS]: contributions, [BASE]: base };
  for (const [name, value] of Object.entries(forward.bypass)) {
    if (open.inputs.includes(name)) feeds[name] = repeatRow(await rowOf(value, row), size);
  }
  const scores: Scores[] = [];
  for (let from = 0; from < count; from += size) {
    const some = masks.subarray(from * channels, (from + size) * channels);
    const part = floats([some.length / channels, channels], new Float32Array(some));
    feeds[MASKS] = padRows(part, size);
    scores.push(await scoresOf(await open.run(feeds), graphs, part.shape[0]));
  }
  return joinScores(scores);
}

async function scoresOf(
  results: Readonly<Record<string, SessionValue>>,
  { logits, probabilities }: Classifier["graphs"],
  count: number,
): Promise<Scores> {
  const read = async (name: string) => rows(await toFloats(results[name]), 0, count);
  return {
    probabilities: await read(probabilities),
    ...(logits ? { logits: await read(logits) } : {}),
  };
}

/** Runs the head on masked activations, a batch of it at a time. */
async function headScores(
  classifier: Classifier,
  forward: Forward,
  row: number,
  masks: Uint8Array,
): Promise<Scores> {
  const { layer: { channels, height, width }, headBatch } = classifier;
  const cells = height * width;
  const { data } = await rowOf(forward.activation, row);
  const count = masks.length / channels;
  const scores: Scores[] = [];
  for (let from = 0; from < count; from += headBatch) {
    const some = Math.min(headBatch, count - from);
    const masked = new Float32Array(some * channels * cells);
    for (let i = 0; i < some * channels; i++) {
      if (masks[from * channels + i] === 0) continue;
      const k = i % channels;
      masked.set(data.subarray(k * cells, (k + 1) * cells), i * cells);
    }
    const part = floats([some, channels, height, width], masked);
    scores.push(await classifier.evaluateHead(part, forward, row));
  }
  return joinScores(scores);
}
