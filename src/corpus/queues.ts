/**
 * Samples that wait until a batch is full.
 *
 * @module
 */

import {
  type BatchSample,
  runBatch,
  type SampleSource,
  type Timings,
} from "../attribution/batch.ts";
import type { PendingImage } from "./pending_image.ts";
import type { Analysis } from "./plan.ts";

/** A sample that waits. */
export interface QueuedSample {
  readonly image: PendingImage;
  /** Its index in the image. */
  readonly sample: number;
  readonly work: BatchSample;
}

type Kind = SampleSource["kind"];

/** A queue for each kind of work, since all samples of a batch are of one kind. */
export class Queues {
  readonly #queues: Record<Kind, QueuedSample[]> = { forward: [], resume: [], rescore: [] };
  readonly #analysis: Analysis;
  readonly #timings: Timings;
  readonly #onFinished: (image: PendingImage) => void;
  #activationBytes: number;

  /**
   * @param activationBytes that the ledger holds already
   * @param onFinished is given each image whose last sample has run
   */
  constructor(
    analysis: Analysis,
    activationBytes: number,
    timings: Timings,
    onFinished: (image: PendingImage) => void,
  ) {
    this.#analysis = analysis;
    this.#activationBytes = activationBytes;
    this.#timings = timings;
    this.#onFinished = onFinished;
  }

  /** Queues a sample, and runs its batch if that is full now. @throws {ModelError} when the classifier fails on it. */
  async add(item: QueuedSample): Promise<void> {
    const { kind } = item.work.source;
    this.#queues[kind].push(item);
    if (this.#queues[kind].length >= this.#analysis.classifier.batch) await this.#run(kind);
  }

  /** Runs all that is left, in batches that are not full. @throws {ModelError} when the classifier fails on one. */
  async flush(): Promise<void> {
    for (const kind of ["forward", "resume", "rescore"] as const) {
      while (this.#queues[kind].length > 0) await this.#run(kind);
    }
  }

  async #run(kind: Kind): Promise<void> {
    const { classifier } = this.#analysis;
    const batch = this.#queues[kind].splice(0, classifier.batch);
    const keep = kind === "forward" && this.#reserveActivations(batch.length);
    const work = batch.map(({ work }) => work);
    const results = await runBatch(this.#analysis, work, keep, this.#timings);
    for (const [i, { image, sample }] of batch.entries()) {
      image.take(sample, results[i], classifier.classes);
      if (image.finished) this.#onFinished(image);
    }
  }

  /** Whether the activations of so many samples are kept: as long as all of them fit into the run's budget. */
  #reserveActivations(samples: number): boolean {
    const { classifier: { layer, resumable }, activationBudget } = this.#analysis;
    const bytes = 4 * layer.channels * layer.height * layer.width * samples;
    if (!resumable || this.#activationBytes + bytes > activationBudget) return false;
    this.#activationBytes += bytes;
    return true;
  }
}
