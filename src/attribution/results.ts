/**
 * What attribution gives for one sample.
 *
 * @module
 */

/** The classifier's answer: [classes] probabilities 0..1, logits where the model has them, the predicted class. */
export interface Prediction {
  readonly probabilities: Float32Array;
  readonly logits?: Float32Array | undefined;
  readonly predicted: number;
}

/** A raw (low-resolution, signed, not normalised) map, row-major [height, width]. */
export interface RawMap {
  readonly raw: Float32Array;
  readonly height: number;
  readonly width: number;
}

/** Why nothing can be said of a sample by its scores; `undefined` when it can. */
export function scoresUnusable(
  { probabilities }: Prediction,
  classes: readonly string[],
): string | undefined {
  const bad = probabilities.findIndex((p) => !Number.isFinite(p));
  return bad < 0 ? undefined : `the probability of ${classes[bad]} is ${probabilities[bad]}`;
}

/**
 * Why a picture cannot be used, by the scores of one of its samples; `undefined` when it can.
 *
 * @param index of the sample among the picture's
 * @param samples of the picture
 */
export function pictureUnusable(
  prediction: Prediction,
  classes: readonly string[],
  index: number,
  samples: number,
): string | undefined {
  const reason = scoresUnusable(prediction, classes);
  const part = samples > 1 ? ` of sample ${index + 1}` : "";
  return reason && `Cannot use the classifier's scores${part}: ${reason}`;
}
