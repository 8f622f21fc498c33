/**
 * One image at work, and how it is written when it is finished.
 *
 * @module
 */

import type { SampleResult } from "../attribution/batch.ts";
import { type Found, stored } from "../ledger/stored_detections.ts";
import type { ImageInput } from "../ledger/rows.ts";
import type { LedgerWriter } from "../ledger/writer.ts";
import type { Stages } from "./plan.ts";
import type { Sample } from "../attribution/samples.ts";

/** An image at work. */
export interface Job {
  readonly row: ImageInput;
  readonly ordinal: number;
  readonly reused: boolean;
  /** New to the ledger, if there are no ids. */
  readonly detection?: Found;
  /** Whether the ledger has other boxes under the same stage, which these replace. */
  readonly replacesBoxes?: boolean;
  readonly faces?: Found;
  readonly samples: readonly Sample[];
  /** By sample; `undefined` until computed, or where the ledger has it all. */
  readonly results: (SampleResult | undefined)[];
  pending: number;
  /** Why the image cannot be used after all: known only when its samples have run. */
  error?: string;
}

/** Writes a finished image; ids of boxes and samples are known only now. */
export function writeJob(writer: LedgerWriter, run: number, stages: Stages, job: Job): void {
  writer.image(run, job.ordinal, job.row);
  if (job.row.status === "failed" || job.reused) return;
  const hash = job.row.sha256!;
  if (job.faces) writer.detection(hash, stages.faces!.id, stored(job.faces));
  const detection = job.detection!;
  if (job.replacesBoxes) writer.forgetScores(hash, stages.detection);
  const boxIds = detection.ids ??
    writer.detection(hash, stages.detection.id, stored(detection)).map(({ id }) => id);
  const rows = writer.sampling(
    hash,
    stages.sampling.id,
    job.samples.map(({ region, face }) => ({ ...region, ...(face !== undefined ? { face } : {}) })),
  );
  job.results.forEach((result, index) => {
    if (!result) return;
    const { id } = rows[index];
    writer.prediction(id, stages.forward.id, result.prediction);
    if (result.activation) writer.activation(id, stages.forward.id, result.activation);
    for (const { method, target, map, scores } of result.maps) {
      const own = stages.methods[method];
      if (map) writer.map(id, own.map.id, target, map);
      writer.scores(
        id,
        own.score.id,
        target,
        scores.map(({ box, importance, share }) => ({ box: boxIds[box], importance, share })),
      );
    }
  });
}
