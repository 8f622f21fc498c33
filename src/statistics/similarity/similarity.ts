/**
 * What a similarity measure of binary vectors is. All are 1 − a distance, as the paper has them, whatever the range of the distance.
 *
 * @module
 */

import type { ContingencyTable } from "./contingency.ts";

/** A measure that the counts of a pair decide. */
export interface CountedSimilarity {
  /** Its name in scipy's `pdist`; the thesis's own variants begin with `thesis-`. */
  readonly name: string;
  /** What figures call it. */
  readonly title: string;
  /** The distance in the counts, and where it is from. */
  readonly source: string;
  distance(counts: ContingencyTable): number;
}

/** A measure that needs all vectors at once, for variances over them. */
export interface JointSimilarity {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  /**
   * Distances of the pairs (0, 1), (0, 2) … (0, m−1), (1, 2) …, or why there are none.
   *
   * @param vectors m vectors of 0 and 1, of one length
   */
  distances(vectors: readonly Uint8Array[]): Float64Array | { readonly reason: string };
}

export type Similarity = CountedSimilarity | JointSimilarity;
