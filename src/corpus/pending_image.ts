/**
 * One image while its samples are computed, and how it is written when it is finished.
 *
 * @module
 */

import { pictureUnusable } from "../attribution/results.ts";
import type { SampleResult } from "../attribution/batch.ts";
import type { Sample } from "../attribution/samples.ts";
import type { ImageInput } from "../ledger/rows.ts";
import { type Found, stored } from "../ledger/stored_detections.ts";
import type { LedgerWriter } from "../ledger/writer.ts";
import { type Stages, stagesOfMethod } from "./plan.ts";

/** An image as it is known before its samples are computed. */
export interface PlannedImage {
  readonly row: ImageInput;
  readonly ordinal: number;
  /** Whether the ledger has all its results. */
  readonly reused: boolean;
  /** New to the ledger, if there are no ids. Absent for an image that cannot be used. */
  readonly detection?: Found;
  /** Whether the ledger has other boxes under the same stage, which these replace. */
  readonly replacesBoxes?: boolean;
  /** New to the ledger. */
  readonly faces?: Found;
  readonly samples: readonly Sample[];
}

/** An image with those of its samples that are still to be computed. */
export class PendingImage {
  #planned: PlannedImage;
  #pending: number;
  /** By sample; empty where the ledger has it all. */
  readonly #results: (SampleResult | undefined)[];
  #unusable: string | undefined;

  /** @param pending samples whose results will be {@linkcode take}n */
  constructor(planned: PlannedImage, pending: number) {
    this.#planned = planned;
    this.#pending = pending;
    this.#results = planned.samples.map(() => undefined);
  }

  /** An image that cannot be used, and why. */
  static failed({ row, ordinal }: Pick<PlannedImage, "row" | "ordinal">, error: string) {
    return new PendingImage(failedImage({ row, ordinal }, error), 0);
  }

  /** As it will be in the run: failed, where the classifier's scores of a sample cannot be used. */
  get row(): ImageInput {
    return this.#planned.row;
  }

  get failed(): boolean {
    return this.row.status === "failed";
  }

  /** Whether nothing had to be computed. */
  get reused(): boolean {
    return this.#planned.reused;
  }

  get sampleCount(): number {
    return this.#planned.samples.length;
  }

  /** Whether all results are there. */
  get finished(): boolean {
    return this.#pending === 0;
  }

  /** Takes the result of a sample. The image fails, once all are there, by the first whose scores cannot be used. */
  take(sample: number, result: SampleResult, classes: readonly string[]): void {
    this.#results[sample] = result;
    this.#unusable ??= pictureUnusable(result.prediction, classes, sample, this.sampleCount);
    if (--this.#pending > 0 || this.#unusable === undefined) return;
    this.#planned = failedImage(this.#planned, this.#unusable);
    this.#results.length = 0;
  }

  /** Writes the finished image; ids of boxes and samples are known only now. */
  write(writer: LedgerWriter, run: number, stages: Stages): void {
    const { row, ordinal, reused, detection, replacesBoxes, faces, samples } = this.#planned;
    writer.image(run, ordinal, row);
    if (this.failed || reused) return;
    const hash = row.sha256!;
    if (faces) writer.detection(hash, stages.faces!.id, stored(faces));
    if (replacesBoxes) writer.forgetScores(hash, stages.detection);
    const boxIds = detection!.ids ??
      writer.detection(hash, stages.detection.id, stored(detection!)).map(({ id }) => id);
    const rows = writer.sampling(
      hash,
      stages.sampling.id,
      samples.map(({ region, face }) => ({ ...region, ...(face !== undefined ? { face } : {}) })),
    );
    this.#results.forEach((result, index) => {
      if (!result) return;
      const { id } = rows[index];
      writer.prediction(id, stages.forward.id, result.prediction);
      if (result.activation) writer.activation(id, stages.forward.id, result.activation);
      for (const { method, target, map, scores } of result.maps) {
        const stage = stagesOfMethod(stages, method);
        if (map) writer.map(id, stage.map.id, target, map);
        writer.scores(
          id,
          stage.score.id,
          target,
          scores.map(({ box, importance, share }) => ({ box: boxIds[box], importance, share })),
        );
      }
    });
  }
}

function failedImage(
  { row, ordinal }: Pick<PlannedImage, "row" | "ordinal">,
  error: string,
): PlannedImage {
  return { row: { ...row, status: "failed", error }, ordinal, reused: false, samples: [] };
}
