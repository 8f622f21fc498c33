/**
 * Similarity of binary vectors: the paper's 22 named measures, the thesis's own five, and the matrix of all pairs.
 *
 * @module
 */

import { UsageError } from "../../base/errors.ts";
import { COUNT_SIMILARITIES } from "./count_similarities.ts";
import { contingencyTable, pack } from "./contingency.ts";
import { mahalanobis } from "./mahalanobis.ts";
import { seuclidean } from "./seuclidean.ts";
import type { Similarity } from "./similarity.ts";
import { THESIS } from "./thesis.ts";

export type { ContingencyTable } from "./contingency.ts";
export type { CountedSimilarity, JointSimilarity, Similarity } from "./similarity.ts";

/** Every similarity measure: scipy's 22 in alphabetical order, then the thesis's own. */
export const SIMILARITIES: readonly Similarity[] = [
  ...[...COUNT_SIMILARITIES, mahalanobis, seuclidean].sort((p, q) => p.name < q.name ? -1 : 1),
  ...THESIS,
];

/** The measure of a name. @throws {UsageError} when there is none */
export function similarityNamed(name: string): Similarity {
  const found = SIMILARITIES.find((similarity) => similarity.name === name);
  if (!found) {
    throw new UsageError(
      `Cannot compare vectors by ${JSON.stringify(name)}: no such similarity; there are ` +
        SIMILARITIES.map(({ name }) => name).join(", "),
    );
  }
  return found;
}

/** Similarities of all pairs of m vectors. */
interface SimilarityMatrix {
  /** [m, m], symmetric; the diagonal is 1 even where the measure of a vector with itself is not. */
  readonly values: Float64Array;
  /** Why everything is NaN, where the measure is not defined for these vectors at all. */
  readonly reason?: string;
}

/**
 * 1 − distance of all pairs of binary vectors: `1 - squareform(pdist(vectors, name))`.
 *
 * @param vectors m vectors of 0 and 1, of one length n (images)
 * @throws {RangeError} when their lengths differ
 */
export function similarityMatrix(
  vectors: readonly Uint8Array[],
  similarity: Similarity,
): SimilarityMatrix {
  const packed = pack(vectors);
  const count = vectors.length;
  const values = new Float64Array(count * count).fill(1);
  const joint = "distances" in similarity ? similarity.distances(vectors) : undefined;
  if (joint && "reason" in joint) return { values: values.fill(NaN), reason: joint.reason };
  let at = 0;
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const distance = "distance" in similarity
        ? similarity.distance(contingencyTable(packed, i, j))
        : joint![at++];
      values[i * count + j] = values[j * count + i] = 1 - distance;
    }
  }
  return { values };
}
