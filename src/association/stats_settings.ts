/**
 * What decides the statistics of a run.
 *
 * @module
 */

/** Corrections for many cells, by short names. */
export const CORRECTION_BY_NAME = {
  bh: "benjamini-hochberg",
  by: "benjamini-yekutieli",
  holm: "holm",
} as const;

/** What decides the statistics of a run. */
export interface StatsSettings {
  /** A box is salient when its importance exceeds this. */
  readonly threshold: number;
  /** Samples count whose predicted class has a probability above this; absent: all. */
  readonly emotionConfidence?: number | undefined;
  /** Boxes count whose confidence is above this; absent: all. */
  readonly objectConfidence?: number | undefined;
  /** Rate of false claims that is allowed: adjusted p values up to this. */
  readonly alpha: number;
  readonly correction: keyof typeof CORRECTION_BY_NAME;
  readonly seed: number;
  /** The column of the corpus whose values are the units: images that share one are exchanged together. Absent: each image is a unit. */
  readonly block?: string | undefined;
  /** Kinds of evidence that are asked; absent: all. */
  readonly evidence?: readonly string[] | undefined;
}
