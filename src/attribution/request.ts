/**
 * What is asked of attribution: which boxes' means, which classes.
 *
 * @module
 */

import type { Classifier } from "../classifier/classifier.ts";
import type { Compute } from "../gpu/compute.ts";
import type { Detector } from "../detectors/detector.ts";
import type { Method } from "../methods/method.ts";
import type { Target } from "../classifier/target.ts";

/**
 * How a box's mean is taken: the exact integral over its area, over whole pixels of the classifier's input, or as the paper has it,
 * over whole pixels of the detector's letterbox.
 */
export const BOX_MEANS = ["exact", "pixels", "paper"] as const;

export type BoxMean = typeof BOX_MEANS[number];

/** The letterbox of the paper's detector: for boxes from elsewhere, which bring none. */
export const PAPER_FRAME = { width: 608, height: 608 } as const;

/** Which classes are explained in each sample: the predicted one, all, or one by index. */
export type ClassChoice = "predicted" | "all" | number;

/** What is computed of each sample. */
export interface AttributionRequest {
  readonly classifier: Classifier;
  /** Gives the boxes. */
  readonly detector: Detector;
  readonly methods: readonly Method[];
  readonly target: Target;
  readonly seed: number;
  readonly classes: ClassChoice;
  readonly boxMean: BoxMean;
  readonly compute: Compute;
}

/** The classes explained in a sample, given its predicted one. */
export function targetsOf(
  choice: ClassChoice,
  predicted: number,
  classes: number,
): readonly number[] {
  if (choice === "predicted") return [predicted];
  if (choice === "all") return Array.from({ length: classes }, (_, k) => k);
  return [choice];
}
