import { pivotedCholesky } from "../../algebra/cholesky.ts";
import type { JointSimilarity } from "./similarity.ts";

/**
 * 1 − the Mahalanobis distance √((u − v)ᵀ S⁻¹ (u − v)), S the covariance (n − 1 below) of the images over all vectors.
 *
 * It needs more vectors than images, and no image that others determine. scipy's pdist refuses the first and gives noise, or an error,
 * for the second; here both are a reason. A few dozen features over thousands of images, the paper's case, never have one.
 */
export const mahalanobis: JointSimilarity = {
  name: "mahalanobis",
  title: "Mahalanobis",
  source: "√((u−v)ᵀ S⁻¹ (u−v)), S the covariance of the images; scipy's pdist",
  distances(vectors) {
    const count = vectors.length, n = vectors[0]?.length ?? 0;
    if (count <= n) {
      return {
        reason: `the covariance of ${n} images over ${count} vectors is singular: it needs at ` +
          `least ${n + 1} vectors`,
      };
    }
    const { lower, order, rank } = pivotedCholesky(covariance(vectors), n);
    if (rank < n) {
      return {
        reason: `the covariance of the ${n} images is singular: its rank over these ${count} ` +
          `vectors is ${rank}`,
      };
    }
    const result = new Float64Array(count * (count - 1) / 2);
    const solved = new Float64Array(n);
    let at = 0;
    for (let p = 0; p < count; p++) {
      for (let q = p + 1; q < count; q++) {
        // |L⁻¹ (u − v)|, by forward substitution over the rows in the order of their pivots.
        let squares = 0;
        for (let k = 0; k < n; k++) {
          const row = order[k];
          let rest = vectors[p][row] - vectors[q][row];
          for (let j = 0; j < k; j++) rest -= lower[row * n + j] * solved[j];
          solved[k] = rest / lower[row * n + k];
          squares += solved[k] ** 2;
        }
        result[at++] = Math.sqrt(squares);
      }
    }
    return result;
  },
};

/** [n, n]: covariance of the elements over the vectors. */
function covariance(vectors: readonly Uint8Array[]): Float64Array {
  const count = vectors.length, n = vectors[0].length;
  const means = Float64Array.from(
    { length: n },
    (_, i) => vectors.reduce((sum, vector) => sum + vector[i], 0) / count,
  );
  const result = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (const vector of vectors) sum += (vector[i] - means[i]) * (vector[j] - means[j]);
      result[i * n + j] = result[j * n + i] = sum / (count - 1);
    }
  }
  return result;
}
