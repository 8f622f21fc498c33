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
