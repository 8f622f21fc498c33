/**
 * The stream over a corpus: images in, rows in the ledger out, with memory that does not grow.
 *
 * Images are read and decoded a few ahead; their samples queue up until a batch is full; finished images are committed
 * together. What the ledger holds already is not computed again: an image needs a pass (`forward`), goes on from its stored
 * activation (`resume`), has only its boxes scored anew (`rescore`), or is merely listed in the run.
 *
 * @module
 */

import { ImageError } from "../base/errors.ts";
import type { Detector } from "../detectors/detector.ts";
import { placeRect } from "../image/geometry.ts";
import { inputPlacement, prepare } from "../runtime/preprocess.ts";
import {
  type BatchSample,
  runBatch,
  type SampleSource,
  scoresUnusable,
} from "../attribution/batch.ts";
import type { Found } from "../ledger/stored_detections.ts";
import { type Job, writeJob } from "./pending_image.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { loadAhead, type Loaded, type Need } from "./load.ts";
import type { Analysis, Stages } from "./plan.ts";
import {
  belongsTo,
  faceSamples,
  type Sample,
  sizeOfRegion,
  wholeImage,
} from "../attribution/samples.ts";

/** Finished images that are committed together at most. */
const COMMIT_IMAGES = 64;
/** Finished images wait no longer than this for their commit, milliseconds. */
const COMMIT_AFTER = 2000;

/** How far a stream is. */
export interface StreamProgress {
  /** Images that are finished and committed, failed ones included. */
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  readonly samples: number;
}

/** What a stream did. */
export interface StreamSummary extends StreamProgress {
  /** Images of which nothing had to be computed. */
  readonly reused: number;
  /** Whether it was stopped before the end. */
  readonly interrupted: boolean;
  /** Milliseconds by stage; reading and decoding as far as the rest had to wait for them. Together: the time of the stream. */
  readonly timings: Readonly<Record<string, number>>;
}

/** What a caller may hook into. */
export interface StreamHooks {
  readonly onProgress?: (progress: StreamProgress) => void;
  readonly onFailure?: (path: string, reason: string) => void;
  /** An image whose file is not the one that the ledger knows by this path. */
  readonly onChange?: (path: string, from: string, to: string) => void;
  /** Stops the stream after the batch at work; what is finished is committed. */
  readonly signal?: AbortSignal;
}

interface Queued {
  readonly job: Job;
  readonly sample: number;
  readonly work: BatchSample;
}

/**
 * Runs an analysis over its images and keeps every result in the ledger.
 *
 * @throws {ModelError} when the classifier fails on a batch; what was finished before is committed.
 */
export async function streamCorpus(
  analysis: Analysis,
  ledger: Ledger,
  run: number,
  stages: Stages,
  hooks: StreamHooks = {},
): Promise<StreamSummary> {
  const { classifier, images } = analysis;
  const timings = {
    read: 0,
    decode: 0,
    detect: 0,
    prepare: 0,
    forward: 0,
    explain: 0,
    score: 0,
    commit: 0,
  };
  const queues: Record<SampleSource["kind"], Queued[]> = { forward: [], resume: [], rescore: [] };
  const ready: Job[] = [];
  let done = 0, failed = 0, samples = 0, reused = 0, lastCommit = performance.now();
  let activationBytes = ledger.activationBytes();
  let interrupted = false;

  const commit = () => {
    if (ready.length === 0) return;
    const started = performance.now();
    ledger.commit((writer) => {
      for (const job of ready) writeJob(writer, run, stages, job);
    });
    for (const job of ready) {
      done++;
      if (job.row.status === "failed") failed++;
      if (job.reused) reused++;
      samples += job.samples.length;
    }
    ready.length = 0;
    lastCommit = performance.now();
    timings.commit += lastCommit - started;
    hooks.onProgress?.({ done, total: images.length, failed, samples });
  };
  const finish = (made: Job) => {
    const job = made.error === undefined ? made : failedJob(made, made.error);
    if (made !== job) hooks.onFailure?.(job.row.path, job.row.error!);
    ready.push(job);
    if (ready.length >= COMMIT_IMAGES || performance.now() - lastCommit > COMMIT_AFTER) commit();
  };
  const flush = async (kind: SampleSource["kind"]) => {
    const batch = queues[kind].splice(0, classifier.batch);
    const size = 4 * classifier.layer.channels * classifier.layer.height * classifier.layer.width;
    const keep = kind === "forward" && classifier.resumable &&
      activationBytes + size * batch.length <= analysis.activationBudget;
    if (keep) activationBytes += size * batch.length;
    const results = await runBatch(analysis, batch.map(({ work }) => work), keep, timings);
    for (const [i, { job, sample }] of batch.entries()) {
      job.results[sample] = results[i];
      const reason = scoresUnusable(results[i].prediction, classifier.classes);
      if (reason !== undefined) {
        const part = job.samples.length > 1 ? ` of sample ${sample + 1}` : "";
        job.error ??= `Cannot use the classifier's scores${part}: ${reason}`;
      }
      if (--job.pending === 0) finish(job);
    }
  };

  try {
    for await (const loaded of loadAhead(analysis, ledger, stages, timings)) {
      if (hooks.signal?.aborted) {
        interrupted = true;
        break;
      }
      const { job, queued } = await plan(analysis, stages, loaded, timings);
      if (job.row.status === "failed") hooks.onFailure?.(job.row.path, job.row.error ?? "");
      if (loaded.changedFrom) {
        hooks.onChange?.(job.row.path, loaded.changedFrom, job.row.sha256!);
      }
      if (job.pending === 0) finish(job);
      for (const item of queued) {
        const { kind } = item.work.source;
        queues[kind].push(item);
        if (queues[kind].length >= classifier.batch) await flush(kind);
      }
    }
    if (!interrupted) {
      for (const kind of ["forward", "resume", "rescore"] as const) {
        while (queues[kind].length > 0) await flush(kind);
      }
    }
  } finally {
    commit();
  }
  return { done, total: images.length, failed, samples, reused, interrupted, timings };
}

/** An image that cannot be used, and why. */
function failedJob({ row, ordinal }: Pick<Job, "row" | "ordinal">, error: string): Job {
  return {
    row: { ...row, status: "failed", error },
    ordinal,
    reused: false,
    samples: [],
    results: [],
    pending: 0,
  };
}

/** Decides what an image needs; detects, cuts samples and prepares inputs where they are missing. */
async function plan(
  analysis: Analysis,
  stages: Stages,
  loaded: Loaded,
  timings: { detect: number; prepare: number },
): Promise<{ job: Job; queued: Queued[] }> {
  const { row, ordinal, known } = loaded;
  const fail = (error: string) => ({ job: failedJob({ row, ordinal }, error), queued: [] });
  if (row.status === "failed") return fail(row.error!);
  try {
    let started = performance.now();
    const detected = known.detection ?? await detect(analysis.detector, loaded);
    const faces = !stages.faces
      ? undefined
      : stages.faces.id === stages.detection.id
      ? detected
      : known.faces ?? await detect(analysis.faceFinder!, loaded);
    timings.detect += performance.now() - started;
    started = performance.now();
    const samples: Sample[] = known.samples?.map(({ sample: { x0, y0, x1, y1, face } }) => ({
      region: { x0, y0, x1, y1 },
      ...(face !== undefined ? { face } : {}),
    })) ?? (faces ? faceSamples(faces.faces, analysis.crop!) : wholeImage(loaded.picture!));
    const job: Job = {
      row,
      ordinal,
      reused: known.detection !== undefined && !known.outdated &&
        (known.samples?.every(({ need }) => need.source === "done") ?? false),
      detection: detected,
      ...(known.outdated ? { replacesBoxes: true } : {}),
      ...(faces && !known.faces && faces !== detected ? { faces } : {}),
      samples,
      results: samples.map(() => undefined),
      pending: 0,
    };
    const queued: Queued[] = [];
    for (const [index, sample] of samples.entries()) {
      const need = known.samples?.[index]?.need;
      if (need?.source === "done") continue;
      const work = workOf(analysis, loaded, detected, sample, index, need);
      queued.push({ job, sample: index, work });
    }
    job.pending = queued.length;
    timings.prepare += performance.now() - started;
    return { job, queued };
  } catch (error) {
    if (error instanceof ImageError) return fail(error.message);
    throw error;
  }
}

async function detect(detector: Detector, { picture, row }: Loaded): Promise<Found> {
  return await detector.detect(picture!, row.path);
}

/** The work of one sample; without a need it is new, and needs everything. */
function workOf(
  { classifier, methods }: Analysis,
  { picture, row }: Loaded,
  { boxes }: Found,
  sample: Sample,
  index: number,
  need: Need | undefined,
): BatchSample {
  const spec = classifier.card.input;
  const toInput = inputPlacement(sample.region, spec);
  const stored = need && need.source !== "forward" && need.source !== "done"
    ? need.source
    : undefined;
  return {
    key: `${row.sha256}#${index}`,
    source: stored ?? {
      kind: "forward",
      input: prepare(picture!, sample.region, spec, classifier.meanImage),
    },
    methods: need?.methods ?? [...methods.keys()],
    boxes: boxes.flatMap((box, index) =>
      belongsTo(box, sample) ? [{ box: index, rect: placeRect(toInput, box), onImage: box }] : []
    ),
    size: sizeOfRegion(sample),
  };
}
