/**
 * The stream over a corpus: images in, rows in the ledger out, with memory that does not grow.
 *
 * Images are read and decoded a few ahead; their samples queue up until a batch is full; finished images are committed
 * together. What the ledger holds already is not computed again: an image needs a pass (`forward`), continues from its stored
 * activation (`resume`), has only its boxes scored anew (`rescore`), or is merely listed in the run.
 *
 * @module
 */

import { ImageError } from "../base/errors.ts";
import type { SampleSource } from "../attribution/batch.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { loadAhead, type Loaded, type RemainingWork } from "./load.ts";
import type { Analysis, Stages } from "./plan.ts";
import { faceSamples, placeSample, type Sample, wholeImage } from "../attribution/samples.ts";
import { PendingImage } from "./pending_image.ts";
import { type QueuedSample, Queues } from "./queues.ts";
import { detectIn, inputOf } from "../attribution/samples_of_image.ts";

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
  /** Milliseconds by stage; for reading and decoding, the time that the rest waited for them. Together: the time of the stream. */
  readonly timings: Readonly<Record<string, number>>;
}

/** What a caller may hook into. */
export interface StreamHooks {
  readonly onProgress?: (progress: StreamProgress) => void;
  readonly onFailure?: (path: string, reason: string) => void;
  /** An image whose file is not the one that the ledger knows by this path. */
  readonly onChange?: (path: string, from: string, to: string) => void;
  /** Stops the stream after the current batch; what is finished is committed. */
  readonly signal?: AbortSignal;
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
  const finished = new FinishedImages(ledger, run, stages, analysis.images.length, timings, hooks);
  const queues = new Queues(
    analysis,
    ledger.activationBytes(),
    timings,
    (image) => finished.add(image),
  );
  let interrupted = false;
  try {
    for await (const loaded of loadAhead(analysis, ledger, stages, timings)) {
      if (hooks.signal?.aborted) {
        interrupted = true;
        break;
      }
      const { image, queued } = await planImage(analysis, loaded, timings);
      if (loaded.changedFrom) {
        hooks.onChange?.(image.row.path, loaded.changedFrom, image.row.sha256!);
      }
      if (image.finished) finished.add(image);
      for (const item of queued) await queues.add(item);
    }
    if (!interrupted) await queues.flush();
  } finally {
    finished.commit();
  }
  return { ...finished.progress, reused: finished.reused, interrupted, timings };
}

/** Images that are finished, on their way into the ledger. */
class FinishedImages {
  #ready: PendingImage[] = [];
  #done = 0;
  #failed = 0;
  #samples = 0;
  #reused = 0;
  #lastCommit = performance.now();

  constructor(
    readonly ledger: Ledger,
    readonly run: number,
    readonly stages: Stages,
    readonly total: number,
    readonly timings: { commit: number },
    readonly hooks: StreamHooks,
  ) {}

  /** How many are committed. */
  get progress(): StreamProgress {
    return { done: this.#done, total: this.total, failed: this.#failed, samples: this.#samples };
  }

  get reused(): number {
    return this.#reused;
  }

  /** Takes a finished image, and commits when many wait or one has waited long. */
  add(image: PendingImage): void {
    if (image.failed) this.hooks.onFailure?.(image.row.path, image.row.error!);
    this.#ready.push(image);
    const waited = performance.now() - this.#lastCommit;
    if (this.#ready.length >= COMMIT_IMAGES || waited > COMMIT_AFTER) this.commit();
  }

  commit(): void {
    if (this.#ready.length === 0) return;
    const started = performance.now();
    this.ledger.commit((writer) => {
      for (const image of this.#ready) image.write(writer, this.run, this.stages);
    });
    for (const image of this.#ready) {
      this.#done++;
      if (image.failed) this.#failed++;
      if (image.reused) this.#reused++;
      this.#samples += image.sampleCount;
    }
    this.#ready = [];
    this.#lastCommit = performance.now();
    this.timings.commit += this.#lastCommit - started;
    this.hooks.onProgress?.(this.progress);
  }
}

/** Decides what an image needs; detects, cuts samples and prepares inputs where they are missing. */
async function planImage(
  analysis: Analysis,
  { row, ordinal, stored, picture }: Loaded,
  timings: { detect: number; prepare: number },
): Promise<{ image: PendingImage; queued: QueuedSample[] }> {
  const fail = (error: string) => ({
    image: PendingImage.failed({ row, ordinal }, error),
    queued: [],
  });
  if (row.status === "failed") return fail(row.error!);
  try {
    let started = performance.now();
    const found = await detectIn(analysis, picture, row.path, stored);
    const { detection, faces } = found;
    timings.detect += performance.now() - started;
    started = performance.now();
    const samples: Sample[] = stored.samples?.map(({ sample: { x0, y0, x1, y1, face } }) => ({
      region: { x0, y0, x1, y1 },
      ...(face !== undefined ? { face } : {}),
    })) ?? (faces ? faceSamples(faces.faces, analysis.crop!) : wholeImage(picture!));
    const open = samples.flatMap((sample, index) => {
      const work = stored.samples?.[index]?.work;
      if (work?.source === "done") return [];
      const { classifier, methods } = analysis;
      const placed = placeSample(classifier, row.sha256!, sample, index, detection.boxes);
      const source = sourceOf(work) ??
        { kind: "forward" as const, input: inputOf(classifier, picture!, sample) };
      return [{ sample: index, work: { ...placed, source, methods: work?.methods ?? methods } }];
    });
    const image = new PendingImage({
      row,
      ordinal,
      reused: stored.detection !== undefined && !stored.outdated &&
        (stored.samples?.every(({ work }) => work.source === "done") ?? false),
      detection,
      ...(stored.outdated ? { replacesBoxes: true } : {}),
      ...(faces && !stored.faces && faces !== detection ? { faces } : {}),
      samples,
    }, open.length);
    timings.prepare += performance.now() - started;
    return { image, queued: open.map((item) => ({ image, ...item })) };
  } catch (error) {
    if (error instanceof ImageError) return fail(error.message);
    throw error;
  }
}

/** What is stored of a sample that its work continues from, if anything. */
function sourceOf(work: RemainingWork | undefined): SampleSource | undefined {
  return typeof work?.source === "object" ? work.source : undefined;
}
